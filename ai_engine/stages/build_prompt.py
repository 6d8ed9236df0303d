"""Build what a language model is given.

In:  a question, earlier turns, the passages found, the prompt's text and a boundary that nobody can guess.
Out: the prompt, and the passages that fitted into its budget.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from events.question import LinesReply, Passage
from runtime.redaction import redact

BUDGET = 28_000  # characters of passages: about 7,000 tokens, which every current model takes


@dataclass(frozen=True)
class Turn:
    """One message to a language model. `role` is user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Prompt:
    """All that a model is given. `name` is the prompt file and its version; `system` the rules, `turns` the rest."""

    name: str
    system: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Grounded:
    """A prompt and the passages that are in it: an answer may cite these and nothing else."""

    prompt: Prompt
    passages: tuple[Passage, ...]


def build_prompt(
    question: str,
    passages: Sequence[Passage],
    *,
    rules: str,
    name: str,
    boundary: str,
    history: Sequence[tuple[str, str]] = (),
) -> Grounded:
    """Fit the best passages into the budget and mark them as quoted material; `history` is told as it is. Pure."""
    chosen = _within_budget(passages)
    quoted = "\n\n".join(_quote(passage, boundary) for passage in chosen)
    earlier = [
        turn
        for asked, answered in history
        for turn in (Turn("user", _clean(asked, boundary)), Turn("assistant", redact(_clean(answered, boundary))))
    ]
    ask = f"{quoted or '(No passage was found.)'}\n\nQuestion: {_clean(question, boundary)}"
    return Grounded(
        Prompt(name, rules.replace("{boundary}", boundary), (*earlier, Turn("user", ask))),
        tuple(chosen),
    )


def quote_turns(question: str, history: Sequence[tuple[str, str]], *, rules: str, name: str, boundary: str) -> Prompt:
    """A prompt about earlier turns and a question, all of them as quoted material. Pure."""
    said = [f"Person: {_clean(asked, boundary)}\nAssistant: {_clean(told, boundary)}" for asked, told in history]
    quoted = "\n\n".join([*said, f"Person, next: {_clean(question, boundary)}"])
    ask = f"<<<{boundary}>>>\n{redact(quoted)}\n<<<{boundary} end>>>"
    return Prompt(name, rules.replace("{boundary}", boundary), (Turn("user", ask),))


def passage_of(read: LinesReply, file_class: str = "docs") -> Passage:
    """Lines that were read, as a passage. Pure."""
    return Passage(
        chunk_id="",
        path=read.path,
        first_line=read.first_line,
        last_line=read.last_line,
        text=read.text,
        language=read.language,
        file_class=file_class,
    )


def _within_budget(passages: Sequence[Passage]) -> list[Passage]:
    chosen: list[Passage] = []
    left = BUDGET
    for passage in passages:
        if len(passage.text) <= left:
            chosen.append(passage)
            left -= len(passage.text)
    return chosen


def _quote(passage: Passage, boundary: str) -> str:
    text = redact(_clean(passage.text, boundary))
    numbered = "\n".join(f"{passage.first_line + i:>5} {line}" for i, line in enumerate(text.split("\n")))
    path = _clean(passage.path, boundary).replace("\n", " ")  # Git allows any byte in a name but NUL
    place = f"{path}:{passage.first_line}-{passage.last_line}"
    return f"<<<{boundary} {place}>>>\n{numbered}\n<<<{boundary} end>>>"


def _clean(text: str, boundary: str) -> str:
    # Format characters (bidi overrides, zero-width, tags) can hide instructions from a reader but not from a model;
    # other line ends (CR, NEL, U+2028) would begin a line without a number, as if it were not quoted.
    visible = "".join(" " if _ends_line(c) else c for c in text if unicodedata.category(c) != "Cf")
    return visible.replace(boundary, "")


def _ends_line(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in {"Cc", "Zl", "Zp"}
