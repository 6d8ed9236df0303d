"""A conversation in a bundle is read back as it was written; whatever somebody did to one is refused with its code."""

import io
import json
import math
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from events.base import Envelope
from events.replay import bundle, bundled
from events.replay.bundle import About, Limits
from events.replay.bundled import BadBundle
from orchestrator.api.conversations import TURNS
from tests.support import histories
from tests.support.analyses import CONTEXT, Story, requested

AT = datetime(2026, 1, 1, tzinfo=UTC)
ABOUT = About(host="github.com", name="pallets/flask", url=requested().url, folder="")
Line = dict[str, object]
TALK = [
    e.model_copy(update={"tenant_id": CONTEXT.tenant_id, "repository_id": CONTEXT.repository_id})
    for e in histories.load("conversation").events
]


def a_bundle(talk: list[Envelope] | None = None, analysis: list[Envelope] | None = None, about: About = ABOUT) -> bytes:
    file = io.BytesIO()
    bundle.Writer(file).close(about, AT, analysis or [], talk or TALK)
    return file.getvalue()


def read(content: bytes, tmp_path: Path, limits: Limits | None = None) -> bundle.Bundle:
    path = tmp_path / "some.zip"
    path.write_bytes(content)
    return bundle.read(path, limits)


def code_of(content: bytes, tmp_path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(BadBundle) as refused:
        read(content, tmp_path, limits)
    assert refused.value.message.endswith(".")
    return refused.value.code


def changed(change: Callable[[list[Line]], object], **manifest: object) -> bytes:
    """A bundle whose events were changed, with a manifest that says so."""
    lines = [json.loads(envelope.model_dump_json()) for envelope in TALK]
    change(lines)
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    with zipfile.ZipFile(io.BytesIO(a_bundle())) as archive:
        said = json.loads(archive.read("manifest.json"))
    said["members"] = {"conversation.jsonl": {"bytes": len(text), "sha256": sha256(text).hexdigest()}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversation.jsonl", text)
        archive.writestr("manifest.json", json.dumps(said | manifest))
    return file.getvalue()


def data(line: Line) -> Line:
    found = line["data"]
    assert isinstance(found, dict)
    return found


def put(place: int, **fields: object) -> Callable[[list[Line]], object]:
    return lambda lines: lines[place].update(fields)


def say(place: int, **fields: object) -> Callable[[list[Line]], object]:
    return lambda lines: data(lines[place]).update(fields)


def ask_twice(lines: list[Line]) -> None:
    data(lines[3])["question_id"] = data(lines[1])["question_id"]


def swap(lines: list[Line]) -> None:
    lines[1], lines[2] = {**lines[2], "version": 2}, {**lines[1], "version": 3}


def end_none(lines: list[Line]) -> None:
    lines.pop()


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    found = read(a_bundle(), tmp_path)

    assert (list(found.conversation), found.events) == (TALK, ())
    assert (found.manifest.version, found.address) == (2, (ABOUT.url, ""))
    assert found.manifest.analysis_id is None
    assert f"conversation/{found.manifest.conversation_id}" == TALK[0].stream_id


def test_it_goes_with_an_analysis_of_its_repository(tmp_path: Path) -> None:
    analysis = Story().given(requested()).history
    found = read(a_bundle(TALK, analysis), tmp_path)
    assert (list(found.conversation), list(found.events)) == (TALK, analysis)

    moved = ABOUT.model_copy(update={"folder": "docs"})
    assert code_of(a_bundle(TALK, analysis, moved), tmp_path) == "bundle_foreign"
    for whose in ("tenant_id", "repository_id"):
        others = [e.model_copy(update={whose: uuid4()}) for e in TALK[:1]]
        assert code_of(a_bundle(others, analysis), tmp_path) == "bundle_foreign"


HOSTILE: dict[str, tuple[bytes, str]] = {
    "an event of another type": (
        changed(put(5, event_type="conversation.deleted", data={"policy": ""})),
        "bundle_event",
    ),
    "an event of an analysis": (changed(put(5, event_type="repository.processing.confirmed")), "bundle_event"),
    "an event that nobody knows": (changed(put(5, event_type="x.y")), "bundle_event"),
    "an event without its fields": (changed(put(5, data={})), "bundle_event"),
    "no beginning": (changed(lambda lines: lines.pop(0)), "bundle_event"),
    "two beginnings": (changed(put(5, event_type="conversation.started", data=TALK[0].data)), "bundle_event"),
    "no event": (changed(lambda lines: lines.clear()), "bundle_event"),
    "no JSON": (changed(lambda lines: lines.insert(0, {})), "bundle_event"),
    "an infinite number": (changed(say(2, response_time=math.inf)), "bundle_event"),
    "a number that nothing adds up to": (changed(say(2, input_tokens=10**19)), "bundle_event"),
    "a NUL": (changed(say(1, query="Why\x00?")), "bundle_event"),
    "half a character": (changed(say(1, query="\ud800")), "bundle_event"),
    "another stream": (changed(put(5, stream_id=f"conversation/{uuid4()}")), "bundle_foreign"),
    "another team": (changed(put(5, tenant_id=str(uuid4()))), "bundle_foreign"),
    "another repository": (changed(put(5, repository_id=str(uuid4()))), "bundle_foreign"),
    "an event twice": (changed(put(5, event_id=str(TALK[4].event_id))), "bundle_foreign"),
    "a place that is left out": (changed(put(5, version=60)), "bundle_foreign"),
    "wrong order": (changed(lambda lines: lines.insert(2, lines.pop(4))), "bundle_foreign"),
    "an answer before its question": (changed(swap), "bundle_foreign"),
    "a question twice": (changed(ask_twice), "bundle_foreign"),
    "an answer to no question": (changed(say(5, question_id=str(uuid4()))), "bundle_foreign"),
    "another attempt at no question": (changed(say(3, again=str(uuid4()))), "bundle_foreign"),
    "a question without an end": (changed(end_none), "bundle_foreign"),
    "another conversation": (changed(lambda _: None, conversation_id=str(uuid4())), "bundle_foreign"),
    "no address": (changed(lambda _: None, url=None), "bundle_unreadable"),
    "an analysis that is not there": (changed(lambda _: None, analysis_id=str(uuid4())), "bundle_members"),
    "a version without conversations": (
        changed(lambda _: None, version=1, analysis_id=str(uuid4())),
        "bundle_unreadable",
    ),
    "too long a title": (changed(say(0, title="x" * 8_001)), "bundle_too_large"),
    "too long a question": (changed(say(1, query="x" * 8_001)), "bundle_too_large"),
    "too many turns": (changed(say(1, history=[["Why?", "So."]] * 7)), "bundle_too_large"),
    "too long a turn": (changed(say(1, history=[["Why?", "x" * 100_001]])), "bundle_too_large"),
    "too long facts": (changed(say(1, facts="x" * 100_001)), "bundle_too_large"),
    "too long a saying": (changed(say(2, answer="x" * 4_000_000)), "bundle_too_large"),
}


def test_what_goes_with_a_question_here_may_come_with_one(tmp_path: Path) -> None:
    turns = [["Why?" * 1_000, "x" * 100_000]] * TURNS

    assert read(changed(say(1, history=turns, facts="x" * 100_000)), tmp_path).conversation
    assert bundled.MOST_TURNS == TURNS


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_conversation_is_refused_with_its_code(what: str, tmp_path: Path) -> None:
    content, code = HOSTILE[what]

    assert code_of(content, tmp_path) == code


def test_sizes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_of(a_bundle(), tmp_path, Limits(talk=1_000)) == "bundle_too_large"
    monkeypatch.setattr(bundled, "MOST_TALK", len(TALK) - 1)
    assert code_of(a_bundle(), tmp_path) == "bundle_too_large"
