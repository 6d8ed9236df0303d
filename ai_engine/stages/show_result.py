"""Show a model what a tool gave, as quoted material.

In:  passages, lines or entries, and the boundary of the prompt.
Out: the text, what of it may be cited, how much it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ai_engine.stages.build_prompt import clean, passage_of, quote_passage
from ai_engine.stages.read_call import Refused
from events.looking import Entries, Entry, LinesReply
from events.question import Passage
from runtime.redaction import redact, redact_lines

LONGEST = 12_000  # characters of one result
BUDGET = 9_000  # of these for the passages of a search: the rest is for their numbers and marks
OK = "ok"
_NUMBER = 7  # characters before each line
_MARKS = 1_600  # characters around them: a path may be long


@dataclass(frozen=True)
class Seen:
    """What came of one call. `passages` came with their text; `found` counts what came back in all."""

    outcome: str
    text: str
    passages: tuple[Passage, ...] = ()
    found: int = 0


def show_passages(passages: Sequence[Passage], boundary: str) -> Seen:
    """The passages that fit, best first. Pure."""
    shown: list[Passage] = []
    quoted: list[str] = []
    for passage in passages:
        text = quote_passage(passage, boundary)
        if sum(map(len, quoted)) + len(text) <= LONGEST:
            shown.append(passage)
            quoted.append(text)
    text = "\n\n".join(quoted) or ("Nothing of it matches." if not passages else "Too long: read fewer lines at once.")
    return Seen(OK, text, tuple(shown), len(shown))


def show_lines(file: LinesReply, first: int, last: int, boundary: str) -> Seen:
    """As many of a file's lines as fit. Pure.

    It takes the whole file: a secret of several lines is known by its first, which may not be among those.
    """
    lines = redact_lines(file.text, file.path).split("\n")[first - 1 : min(last, file.line_count)]
    if not lines:
        return show_refusal(Refused("no_such_lines", f"The file has {file.line_count} lines."))
    length, kept = 0, 0
    while kept < len(lines) and (length := length + len(lines[kept]) + _NUMBER) <= LONGEST - _MARKS:
        kept += 1
    if not kept:
        return show_refusal(Refused("line_too_long", "That line is too long to be shown: read others."))
    shown = {"text": "\n".join(lines[:kept]), "first_line": first, "last_line": first + kept - 1}
    passage = passage_of(file.model_copy(update=shown), "other")
    more = "" if kept == len(lines) else f"\n\n(Lines {first + kept}-{first + len(lines) - 1} did not fit.)"
    return Seen(
        OK, f"The file has {file.line_count} lines.\n{quote_passage(passage, boundary)}{more}", (passage,), kept
    )


def show_entries(entries: Entries, boundary: str) -> Seen:
    """The entries that fit. They have no text of the files, and so are nothing to cite. Pure."""
    lines: list[str] = []
    for entry in entries.entries:
        line = redact(clean(_line(entry), boundary).replace("\n", " "))
        if sum(map(len, lines)) + len(line) > LONGEST:
            break
        lines.append(line)
    head = f"{entries.total} found" + (f", the first {len(lines)} are listed" if len(lines) < entries.total else "")
    quoted = "\n".join([f"<<<{boundary} list>>>", *lines, f"<<<{boundary} end>>>"]) if lines else ""
    return Seen(OK, f"{head}\n{quoted}".strip(), found=len(lines))


def show_refusal(refused: Refused) -> Seen:
    """Why there is nothing. Pure."""
    return Seen(refused.code, f"{refused.code}: {refused.message}")


def _line(entry: Entry) -> str:
    place = f"{entry.path}:{entry.first_line}-{entry.last_line}" if entry.first_line else entry.path
    return "  ".join(part for part in (entry.id, entry.kind, entry.name, place, entry.note) if part)
