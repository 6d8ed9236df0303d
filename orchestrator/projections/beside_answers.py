"""What is different in two answers to the same question. Pure.

In:  the answer as it was given, and as the present code gives it.
Out: which parts differ, and the citations that only one has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from events.question import Citation


class Answer(Protocol):
    """What is compared of an answer."""

    @property
    def answer(self) -> str | None:
        """Its text."""
        ...

    @property
    def refused(self) -> str:
        """Empty, or why nothing was answered."""
        ...

    @property
    def citations(self) -> Sequence[Citation]:
        """The places that it rests on."""
        ...


@dataclass(frozen=True)
class AnswersBeside:
    """`changed` has answer, citations and refused, as far as they differ; `gained` and `lost` are the shadow's."""

    changed: tuple[str, ...]
    gained: tuple[Citation, ...]
    lost: tuple[Citation, ...]


def beside(before: Answer, after: Answer) -> AnswersBeside:
    """What the present code answers otherwise. Citations are the same where their lines are: chunks have other ids."""
    olds, news = _by_place(before.citations), _by_place(after.citations)
    gained = tuple(one for place, one in news.items() if place not in olds)
    lost = tuple(one for place, one in olds.items() if place not in news)
    different = {
        "answer": before.answer != after.answer,
        "citations": bool(gained or lost),
        "refused": before.refused != after.refused,
    }
    return AnswersBeside(tuple(name for name, differs in different.items() if differs), gained, lost)


def _by_place(citations: Sequence[Citation]) -> dict[tuple[str, int, int], Citation]:
    return {(one.path, one.first_line, one.last_line): one for one in citations}
