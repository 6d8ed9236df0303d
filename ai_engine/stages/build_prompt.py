"""Build what a language model is given.

In:  a question, earlier turns, the passages found, the prompt's text and a boundary that nobody can guess.
Out: the prompt, and the passages that fitted into its budget.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from events.looking import LinesReply
from events.question import Passage
from runtime.answer_limits import PASSAGE_CHARACTERS
from runtime.redaction import redact, redact_lines

_PLANES = (range(0x20000), range(0xE0000, 0xE1000))  # of all characters; the others have none of these
# Format characters (bidi overrides, zero-width, tags) can hide instructions from a reader but not from a model;
# other line ends (CR, NEL, U+2028) would begin a line without a number, as if it were not quoted.
_SEEN_AS = {"Cf": None, "Cc": " ", "Zl": " ", "Zp": " "}
_SEEN = {
    code: _SEEN_AS[category]
    for plane in _PLANES
    for code in plane
    if (category := unicodedata.category(chr(code))) in _SEEN_AS and code not in (ord("\n"), ord("\t"))
}


@dataclass(frozen=True)
class ToolCall:
    """What a model asks of a tool: `arguments` is JSON as the model wrote it, which may be none."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class ToolOffer:
    """A tool that a model may ask: `takes` is the JSON Schema of its arguments."""

    name: str
    description: str
    takes: Mapping[str, object]


@dataclass(frozen=True)
class Turn:
    """One message to a language model. `role` is user, assistant or tool.

    `call` is what an assistant asks a tool; of a tool, the call that `content` is the result of, or (`failed`) why
    there is none. What is told back to a provider is what it takes: a name of letters, digits, `_` and `-`, an object.
    """

    role: str
    content: str
    call: ToolCall | None = None
    failed: bool = False


@dataclass(frozen=True)
class Prompt:
    """All that a model is given. `name` is the prompt file and its version; `system` the rules, `turns` the rest.

    It may ask `tools`, unless it `must_answer`.
    """

    name: str
    system: str
    turns: tuple[Turn, ...]
    tools: tuple[ToolOffer, ...] = ()
    must_answer: bool = False


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
    """Fit the best passages into the budget and mark them as quoted material; `history` is told between them. Pure."""
    chosen = _within_budget(passages)
    quoted = "\n\n".join(quote_passage(passage, boundary) for passage in chosen)
    earlier = [
        turn
        for asked, answered in history
        for turn in (Turn("user", spoken(asked, boundary)), Turn("assistant", spoken(answered, boundary)))
    ]
    ask = f"{quoted or '(No passage was found.)'}\n\nQuestion: {spoken(question, boundary)}"
    return Grounded(
        Prompt(name, rules.replace("{boundary}", boundary), (*earlier, Turn("user", ask))),
        tuple(chosen),
    )


def quote_turns(question: str, history: Sequence[tuple[str, str]], *, rules: str, name: str, boundary: str) -> Prompt:
    """A prompt about earlier turns and a question, all of them as quoted material. Pure."""
    said = [f"Person: {clean(asked, boundary)}\nAssistant: {clean(told, boundary)}" for asked, told in history]
    quoted = "\n\n".join([*said, f"Person, next: {clean(question, boundary)}"])
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


def without_secrets(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages as they may be kept. Pure."""
    return tuple(one.model_copy(update={"text": redact_lines(one.text, one.path)}) for one in passages)


def _within_budget(passages: Sequence[Passage]) -> list[Passage]:
    chosen: list[Passage] = []
    left = PASSAGE_CHARACTERS
    for passage in passages:
        if len(passage.text) <= left:
            chosen.append(passage)
            left -= len(passage.text)
    return chosen


def quote_passage(passage: Passage, boundary: str) -> str:
    """A passage as quoted material, each line with its number. Pure."""
    text = redact_lines(clean(passage.text, boundary), passage.path)
    numbered = "\n".join(f"{passage.first_line + i:>5} {line}" for i, line in enumerate(text.split("\n")))
    path = seen_path(passage.path).replace(boundary, "")
    place = f"{path}:{passage.first_line}-{passage.last_line}"
    return f"<<<{boundary} {place}>>>\n{numbered}\n<<<{boundary} end>>>"


def seen_path(path: str) -> str:
    """A path as a model sees it: on one line, for Git allows any byte in a name but NUL. Pure."""
    return path.translate(_SEEN).replace("\n", " ")


def spoken(text: str, boundary: str) -> str:
    """What a person or a model said, as it is told to a model: clean, and without secrets. Pure."""
    return redact(clean(text, boundary))


def clean(text: str, boundary: str) -> str:
    """What a reader sees of a text, which cannot end the quotation that it is in. Pure."""
    return text.translate(_SEEN).replace(boundary, "")
