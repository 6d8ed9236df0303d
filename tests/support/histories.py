"""Golden histories: what really happened once, without whose it was, and what was decided and shown of it.

    python -m tests.support.histories record NAME STREAM   # from the installation that the command line speaks to
    python -m tests.support.histories accept NAME…         # today's decisions and views are what is meant

`record` refuses a history on which the present code decides something else than its log has. What was private is
replaced, the same by the same; whoever records one reads the file before it goes into the repository.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from events.base import LOCAL_TENANT, LOCAL_USER, Envelope
from events.catalog import EVENTS
from orchestrator.projections import analyses, conversations
from orchestrator.workflow import Policy
from orchestrator.workflow.again import decide_again

FOLDER = Path(__file__).parents[1] / "histories"
FORMAT = 1
_URL = re.compile(r"https?://[^\s'\"<>)]+")
_WORDS = re.compile(r"[^\W\d_]+")
_KEPT = frozenset(
    {"skipped", "failed", "languages", "files", "bytes", "size", "tree_cut", "out_of_scope"}
)  # of `facts`
_HOST = "git.example.org"
_PLAIN = frozenset({"message", "reason"})  # sentences of ours, which may have a name in them


class History(BaseModel):
    """One file. `decided` and `folded` are by version: the lines of a decision, and what changed in the view."""

    format: int = FORMAT
    events: list[Envelope]
    decided: dict[int, tuple[str, ...]]
    folded: dict[int, dict[str, object]]


def all_names() -> list[str]:
    """The histories that are there."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name: str) -> History:
    """One of them. Raises ValueError for a format of another time."""
    history = History.model_validate_json((FOLDER / f"{name}.json").read_text())
    if history.format != FORMAT:
        raise ValueError(f"{name} has format {history.format}")
    return history


def decided(events: Sequence[Envelope], policy: Policy | None = None) -> dict[int, tuple[str, ...]]:
    """What the present code decides at each prefix, where that is something."""
    if not events[0].stream_id.startswith("analysis/"):
        return {}
    return {each.version: each.decided for each in decide_again(events, policy or Policy()) if each.decided}


def folded(events: Sequence[Envelope]) -> dict[int, dict[str, object]]:
    """What each event changes in what people are shown, by the path of the value."""
    changes, before = {}, dict[str, object]()
    for version in range(1, len(events) + 1):
        after = dict(_flat(_view(events[:version])))
        changes[version] = {
            path: after.get(path) for path in sorted({*before, *after}) if before.get(path) != after.get(path)
        }
        before = after
    return changes


def _view(events: Sequence[Envelope]) -> object:
    fold = conversations.fold if events[0].stream_id.startswith("conversation/") else analyses.fold
    shown = fold(events)
    return None if shown is None else shown.model_dump(mode="json")


def _flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in items:
        yield from _flat(each, f"{path}.{name}" if path else str(name))
    if not isinstance(value, dict | list) and value is not None:
        yield path, value


def differences(meant: Mapping[int, object], found: Mapping[int, object]) -> list[str]:
    """Where two of them differ, as a person reads it."""
    lines = []
    for version in sorted({*meant, *found}):
        if meant.get(version) != found.get(version):
            lines += [f"after event {version}:", *_told("was", meant.get(version)), *_told("now", found.get(version))]
    return lines


def _told(when: str, what: object) -> list[str]:
    each = [f"{path} = {value}" for path, value in what.items()] if isinstance(what, dict) else list(what or ())
    return [f"  {when}  {line}" for line in each or ["nothing"]]


def anonymous(events: Sequence[Envelope]) -> list[Envelope]:
    """The same events about nobody: texts that are private are replaced, each by one of the same shape."""
    names = _names(events)
    return [_anonymous(envelope, names) for envelope in events]


def _names(events: Sequence[Envelope]) -> dict[str, str]:
    """What stands for an address, a ref, a folder or a commit, wherever it comes."""
    found: dict[str, str] = {}
    for envelope in events:
        for name in ("url", "ref", "folder", "commit"):
            value = envelope.data.get(name)
            if isinstance(value, str) and value and value not in found:
                found[value] = _stand_in(name, len(found), value)
    return found


def _stand_in(name: str, number: int, value: str) -> str:
    if name == "url":
        return "upload:archive.zip" if value.startswith("upload:") else f"https://{_HOST}/team/project-{number}"
    return f"{number:0{len(value)}x}" if name == "commit" else f"{name}-{number}"


def _anonymous(envelope: Envelope, names: Mapping[str, str]) -> Envelope:
    cls = EVENTS[envelope.event_type]
    data = {
        key: _hidden(value, names, key) if key in cls.private else value
        for key, value in envelope.data.items()
        if key not in {"facts", "metadata_extracted"}
    }
    facts = envelope.data.get("facts")
    if isinstance(facts, dict):
        data["facts"] = {k: v for k, v in facts.items() if k in _KEPT} | {
            key: _hidden(facts[key], names, key) for key in ("commit", "ref") if key in facts
        }
    data |= {name: stands for name, stands in {"worker": "worker", "host": _HOST}.items() if name in data}
    of_nobody = {"tenant_id": LOCAL_TENANT, "user_id": LOCAL_USER if envelope.user_id else None, "traceparent": None}
    return envelope.model_copy(update={**of_nobody, "data": data})


def _hidden(value: object, names: Mapping[str, str], key: str) -> object:
    if isinstance(value, str) and (value in names or key in _PLAIN):
        for name in sorted(names, key=len, reverse=True):
            value = value.replace(name, names[name])
        return _URL.sub(f"https://{_HOST}/…", value) if key in _PLAIN else value
    if isinstance(value, str):
        return _WORDS.sub(lambda word: "x" * len(word.group()), value)
    if isinstance(value, dict):
        return {
            name: each if name in {"ranks", "language"} else _hidden(each, names, name) for name, each in value.items()
        }
    return [_hidden(each, names, key) for each in value] if isinstance(value, list) else value


def write(name: str, events: Sequence[Envelope]) -> None:
    """Put a history down with what is decided and shown of it now."""
    history = History(events=list(events), decided=decided(events), folded=folded(events))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(_lines(history.model_dump(mode="json")))


def _lines(history: Mapping[str, Mapping[str, object] | list[object]]) -> str:
    """JSON of which a person compares one line with one line: an event, a decision, a change."""
    parts = [f'"format": {FORMAT}', f'"events": [\n{_each(history["events"])}\n]']
    parts += [f'"{name}": {{\n{_each(history[name])}\n}}' for name in ("decided", "folded")]
    return "{" + ",\n".join(parts) + "}\n"


def _each(values: Mapping[str, object] | list[object]) -> str:
    if isinstance(values, list):
        return ",\n".join(f" {_json(value)}" for value in values)
    return ",\n".join(f' "{name}": {_json(value)}' for name, value in values.items())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def record(name: str, stream_id: str) -> None:
    """Take a stream from the running installation. Raises SystemExit where its log is decided otherwise today."""
    from cli.api import connect

    api, items, cursor = connect(), [], None
    while True:
        page = api.events_listed(stream_id=stream_id, cursor=cursor, limit=500)
        items += [Envelope.model_validate(item.model_dump(mode="json")) for item in page.items]
        if (cursor := page.next) is None:
            break
    keep(name, items)


def keep(name: str, items: Sequence[Envelope]) -> None:
    """Check, make anonymous, write."""
    events = anonymous(items)
    if items[0].stream_id.startswith("analysis/"):
        for each in decide_again(events, Policy()):
            if not each.agrees:
                told = differences({each.version: each.logged}, {each.version: each.decided})
                raise SystemExit("\n".join((f"{name}: the log has another decision", *told)))
    write(name, events)


def main(arguments: Sequence[str]) -> None:
    """The two commands."""
    match arguments:
        case ["record", name, stream_id]:
            record(name, stream_id)
        case ["accept", *names] if names:
            for name in names:
                write(name, load(name).events)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
