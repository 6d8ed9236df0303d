"""Say that a repository does not answer a question, and what in it is nearest.

In:  the passages found, and the commit.
Out: Markdown with `[path:first-last]` citations of the nearest places; whether a model says that it found nothing.
"""

from collections.abc import Sequence

from events.question import Passage

NO_EVIDENCE = "no_evidence"  # what was found is too little
BY_MODEL = "not_in_passages"  # a model read the passages, and the answer is not in them
SIGN = "NOT FOUND"  # what the rules have a model write then, and nothing else
_SHOWN = 5
_COMMIT = 12  # characters


def tell_not_found(passages: Sequence[Passage], commit: str) -> str:
    """That there is no answer, and the nearest places. Pure."""
    lines = [f"Not found in this repository at `{commit[:_COMMIT]}`."]
    if passages:
        lines += ["", "The nearest places, which do not answer it:", ""]
    for passage in passages[:_SHOWN]:
        names = ", ".join(f"`{name}`" for name in passage.symbols[:4])
        place = f"[{passage.path}:{passage.first_line}-{passage.last_line}]"
        lines.append(f"- {place}{f' defines {names}' if names else ''}")
    return "\n".join(lines)


def says_not_found(answer: str) -> bool:
    """Whether a whole answer is the sign that nothing was found. Pure."""
    return answer.strip(" \n.*`") == SIGN


def may_say_not_found(begun: str) -> bool:
    """Whether what is written so far may become the sign: it is not shown before that is known. Pure."""
    return SIGN.startswith(begun.strip(" \n.*`"))
