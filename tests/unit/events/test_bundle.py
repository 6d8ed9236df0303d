"""A bundle is read back as it was written; whatever somebody did to one is refused with its code."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.processing import Stage
from events.replay import bundle
from events.replay.bundle import About, Limits
from events.replay.bundled import BadBundle, artifacts_of
from tests.support.analyses import Story, completed, requested

AT = datetime(2026, 1, 1, tzinfo=UTC)
FLASK = About(host="github.com", name="pallets/flask", url="https://github.com/pallets/flask", folder="")
CONTENT = b"PAR1" + b"rows" * 300
Members = dict[str, bytes]


def a_ref(kind: ArtifactKind = ArtifactKind.TREE, content: bytes = CONTENT) -> ArtifactRef:
    digest = sha256(content).hexdigest()
    return ArtifactRef(kind=kind, key=f"t/{kind}/{digest}.parquet", sha256=digest, rows=1, bytes=len(content))


def a_history() -> list[Envelope]:
    lexicon = a_ref(ArtifactKind.LEXICON, b"made again where it is imported")
    return Story().given(requested(), completed(Stage.CLONE, artifacts=(a_ref(), lexicon))).history


def a_bundle(history: list[Envelope] | None = None) -> bytes:
    file = io.BytesIO()
    writer = bundle.Writer(file)
    writer.artifact(CONTENT)
    writer.artifact(CONTENT)
    writer.close(FLASK, AT, history or a_history())
    return file.getvalue()


def changed(change: Callable[[Members], object], *, sums: bool = False, **manifest: object) -> bytes:
    """A bundle whose members were changed; with `sums`, its manifest says so."""
    with zipfile.ZipFile(io.BytesIO(a_bundle())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    said = json.loads(members["manifest.json"])
    if sums:
        of = {name: content for name, content in members.items() if name != "manifest.json"}
        said["members"] = {n: {"bytes": len(c), "sha256": sha256(c).hexdigest()} for n, c in of.items()}
    members["manifest.json"] = json.dumps(said | manifest).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def code_of(content: bytes, tmp_path: Path, limits: Limits | None = None) -> str:
    path = tmp_path / "some.zip"
    path.write_bytes(content)
    with pytest.raises(BadBundle) as refused:
        bundle.read(path, limits)
    assert refused.value.message.endswith(".")
    return refused.value.code


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path, history = tmp_path / "some.zip", a_history()
    path.write_bytes(a_bundle(history))

    found = bundle.read(path)

    assert list(found.events) == history
    assert found.address == (requested().url, requested().folder)
    assert (found.manifest.version, found.conversation) == (1, ())
    assert [found.content(ref) for ref in artifacts_of(found.events)] == [CONTENT]
    assert found.sha256 == sha256(path.read_bytes()).hexdigest()
    assert a_bundle(history) == path.read_bytes()  # the same analysis is the same file


def event(change: Callable[[list[dict[str, object]]], object]) -> Callable[[Members], None]:
    def apply(members: Members) -> None:
        events = [json.loads(line) for line in members["events.jsonl"].splitlines()]
        change(events)
        members["events.jsonl"] = "".join(json.dumps(each) + "\n" for each in events).encode()

    return apply


def said(envelope: dict[str, object]) -> dict[str, object]:
    data = envelope["data"]
    assert isinstance(data, dict)
    return data


ARTIFACT = f"artifacts/{a_ref().sha256}"
HOSTILE: dict[str, tuple[bytes, str]] = {
    "no archive": (b"%PDF-1.7 no zip at all", "bundle_unreadable"),
    "cut off": (a_bundle()[:-40], "bundle_unreadable"),
    "empty archive": (b"PK\x05\x06" + bytes(18), "bundle_unreadable"),
    "another format": (changed(lambda _: None, format="tarball"), "bundle_unreadable"),
    "another version": (changed(lambda _: None, version=99), "bundle_version"),
    "no number": (changed(lambda _: None, version="1"), "bundle_version"),
    "members of no shape": (changed(lambda _: None, members={"events.jsonl": 5}), "bundle_unreadable"),
    "a path that leads out": (changed(lambda m: m.update({"../evil": b"x"}), sums=True), "bundle_members"),
    "an absolute path": (changed(lambda m: m.update({"/etc/passwd": b"x"}), sums=True), "bundle_members"),
    "a member too many": (changed(lambda m: m.update({"artifacts/more": b"x"})), "bundle_members"),
    "a member too few": (changed(lambda m: m.pop(ARTIFACT)), "bundle_members"),
    "no events": (changed(lambda m: m.pop("events.jsonl"), sums=True), "bundle_members"),
    "an artifact that is another": (changed(lambda m: m.update({ARTIFACT: CONTENT[::-1]})), "bundle_damaged"),
    "an artifact that is longer": (changed(lambda m: m.update({ARTIFACT: CONTENT + b"x"})), "bundle_damaged"),
    "an artifact by another's name": (changed(lambda m: m.update({ARTIFACT: b"x"}), sums=True), "bundle_members"),
    "an event of another analysis": (
        changed(event(lambda e: e[-1].update(stream_id=f"analysis/{uuid4()}")), sums=True),
        "bundle_foreign",
    ),
    "an event of another tenant": (
        changed(event(lambda e: e[1].update(tenant_id=str(uuid4()))), sums=True),
        "bundle_foreign",
    ),
    "a manifest of another analysis": (changed(lambda _: None, analysis_id=str(uuid4())), "bundle_foreign"),
    "events out of order": (changed(event(lambda e: e.insert(1, e.pop())), sums=True), "bundle_foreign"),
    "an event twice": (changed(event(lambda e: e[1].update(event_id=e[0]["event_id"])), sums=True), "bundle_foreign"),
    "an event that nobody knows": (changed(event(lambda e: e[1].update(event_type="x.y")), sums=True), "bundle_event"),
    "no JSON": (changed(lambda m: m.update({"events.jsonl": b"[[[["}), sums=True), "bundle_event"),
    "no request": (changed(event(lambda e: e.pop(0)), sums=True), "bundle_event"),
    "a time of no zone": (changed(event(lambda e: e[1].update(timestamp="2026-01-01")), sums=True), "bundle_event"),
    "a NUL": (changed(event(lambda e: said(e[0]).update(ref="ma\x00in")), sums=True), "bundle_event"),
    "half a character": (changed(event(lambda e: said(e[0]).update(ref="\ud800")), sums=True), "bundle_event"),
    "a conversation in version 1": (changed(lambda _: None, conversation_id=str(uuid4())), "bundle_unreadable"),
    "no conversation in version 2": (changed(lambda _: None, version=2), "bundle_unreadable"),
    "no event": (changed(event(lambda e: e.clear()), sums=True), "bundle_event"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_bundle_is_refused_with_its_code(what: str, tmp_path: Path) -> None:
    content, code = HOSTILE[what]

    assert code_of(content, tmp_path) == code


def test_an_artifact_that_an_event_names_must_be_there(tmp_path: Path) -> None:
    file = io.BytesIO()
    bundle.Writer(file).close(FLASK, AT, a_history())

    assert code_of(file.getvalue(), tmp_path) == "bundle_foreign"


def test_sizes_are_counted_and_not_believed(tmp_path: Path) -> None:
    bomb = changed(lambda members: members.update({ARTIFACT: bytes(50_000_000)}))
    assert len(bomb) < 100_000
    assert code_of(bomb, tmp_path) == "bundle_damaged"  # it is read no further than its manifest says
    honest = changed(lambda members: members.update({"events.jsonl": bytes(5_000_000)}), sums=True)
    assert code_of(honest, tmp_path, Limits(bytes=1_000_000)) == "bundle_too_large"
    assert code_of(honest, tmp_path, Limits(events=1_000_000)) == "bundle_too_large"


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO(a_bundle())
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("events.jsonl", b"")

    assert code_of(file.getvalue(), tmp_path) == "bundle_members"
