"""`repostream letters`: messages that ended their workers too often, and what becomes of them."""

import json
from collections.abc import Sequence

from cli.api import connect, refusal
from cli.exits import OK
from cli.moments import minute
from cli.paging import all_of
from cli.plain import visible
from cli.screen import Screen, tell
from cli.sure import require_yes
from runtime.client import Client
from runtime.client.shapes import LetterEdit, LetterView

_PAGE = 500
_RUN = "processing.stage.requested"  # the one message whose values can be changed


def run_list(*, settled: bool, as_json: bool) -> int:
    """Print parked messages; returns the exit code. Raises ApiError."""
    found = _letters(connect(), settled=settled)
    for letter in found:
        tell(letter, [line_of(letter)], as_json=as_json)
    if not found and not as_json:
        _say("Nothing waits.")
    return OK


def run_show(letter_id: str, *, as_json: bool) -> int:
    """Print one parked message; returns the exit code. Raises ApiError."""
    letter = connect().letters_one(letter_id)
    tell(letter, lines_of(letter), as_json=as_json)
    return OK


def run_retry(letter_id: str) -> int:
    """Have it done again; returns the exit code. Raises ApiError."""
    _say(line_of(connect().letters_retry(letter_id)))
    return OK


def run_edit(letter_id: str, values: Sequence[str]) -> int:
    """Have it done with other values, or say which can be changed; returns the exit code. Raises ApiError."""
    api = connect()
    if values:
        _say(line_of(api.letters_edit(letter_id, LetterEdit(changes=changes_of(values)))))
        return OK
    message = api.letters_message(letter_id)
    for name in message.editable:
        _say(visible(f"{name}={json.dumps(message.values[name])}" if name in message.values else f"{name} (private)"))
    return OK


def changes_of(values: Sequence[str], code: str = "letter_edit_refused") -> dict[str, object]:
    """What `name=value` says: the value as JSON, else as text. Raises ApiError for what has no `=`."""
    changes: dict[str, object] = {}
    for each in values:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise refusal(code, f"{visible(each)} is no name=value.")
        try:
            changes[name] = json.loads(value)
        except ValueError:
            changes[name] = value
    return changes


def run_discard(letter_id: str, *, yes: bool) -> int:
    """Have it not done; returns the exit code. Raises ApiError."""
    api = connect()
    require_yes(f"{line_of(api.letters_one(letter_id))}\nIs it never to be done?", yes=yes)
    _say(line_of(api.letters_discard(letter_id)))
    return OK


def line_of(letter: LetterView) -> str:
    """One line: id, what, where, and what was decided."""
    what = letter.event_type or "no event of ours"
    parked = f"parked {minute(letter.parked_at)} after {letter.attempts}"
    said = f"{letter.letter_id}  {what}  {letter.stream_id or letter.topic}  at {letter.consumer}  {parked}"
    return visible(f"{said}  {letter.resolution}" if letter.resolution else said)


def lines_of(letter: LetterView) -> list[str]:
    """All that is known of it, and what can be done."""
    told = {
        "event": letter.event_id,
        "repository": letter.repository_id,
        "tenant": letter.tenant_id,
        "correlation": letter.correlation_id,
        "error": letter.error,
    }
    lines = [line_of(letter), *(f"  {name}: {visible(str(value))}" for name, value in told.items() if value)]
    if letter.stream_id is not None:
        lines.append(f"  its events: repostream events show {visible(letter.stream_id)}")
    if letter.repeatable:
        lines.append(f"  again: repostream letters retry {letter.letter_id}")
    if letter.repeatable and letter.event_type == _RUN:
        lines.append(f"  with other values: repostream letters edit {letter.letter_id}")
    if letter.resolution is None:
        lines.append(f"  not at all: repostream letters discard {letter.letter_id}")
    return lines


def _letters(api: Client, *, settled: bool) -> list[LetterView]:
    return list(all_of(lambda cursor: api.letters_listed(settled=settled, cursor=cursor, limit=_PAGE)))


def _say(line: str) -> None:
    Screen().say(line)
