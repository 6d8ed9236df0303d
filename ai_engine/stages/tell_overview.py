"""What it takes to tell an overview again: the places that its facts cite, and the facts as quoted material.

In:  the overview as told from facts, Markdown with citations `[path:first-last]`.
Out: the places that the facts cite; the facts as a passage that cannot be cited; the facts as an answer.
"""

import re

from events.question import Passage
from runtime.citation_form import FORM, path_of

_CITED = re.compile(rf"(?<!\\){FORM}")
_MOST = 60  # places
MOST_LINES = 60  # of one place: a class of a thousand lines begins with what it is
FACTS = ":facts:"  # the path of what can be given and not cited


def places_of(facts: str) -> tuple[Passage, ...]:
    """The places that the facts cite, each once, in order, without their text; at most 60. Pure."""
    found = dict.fromkeys(
        (path_of(match["path"]), int(match["first"]), int(match["last"]))
        for match in _CITED.finditer(facts)
        if "\\" not in match["path"]
    )
    return tuple(
        Passage(chunk_id="", path=path, first_line=first, last_line=last, text="")
        for path, first, last in list(found)[:_MOST]
    )


def facts_passage(facts: str) -> Passage:
    """The facts as quoted material, for what a repository says of itself stands in them. Pure."""
    lines = facts.count("\n") + 1
    return Passage(chunk_id="", path=FACTS, first_line=1, last_line=lines, text=facts, file_class="docs")


def facts_again(facts: str, why: str) -> str:
    """The facts as an answer; `why` is the code of what kept the model from telling them, empty where there is none."""
    return f"*The model did not tell it ({why}); this is told from the facts.*\n\n{facts}" if why else facts
