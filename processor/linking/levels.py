"""How sure an edge of the graph is. The numbers order the levels; bench/results/facts.md has how often each is right.

`exact`      the name is bound here: by its scope, by an import that was followed, by `self`, by a class named outright
`inferred`   through the type that the file gives to a name, the result of a call, or a base class
`overloaded` as either of these, and there are several definitions of that name in one place: the first is taken
`named`      nothing says where the name comes from, and the whole repository has one definition of it

A name that could mean several definitions has no edge; it is counted as ambiguous. A name that is bound to something
outside of the repository has none either.
"""

EXACT = 0.95
INFERRED = 0.85
OVERLOADED = 0.7
NAMED = 0.5

_NAMES = {EXACT: "exact", INFERRED: "inferred", OVERLOADED: "overloaded", NAMED: "named"}


def level_of(confidence: float) -> str:
    """The name of a level."""
    return _NAMES[confidence]
