"""One analysis as one file: its events, its artifacts, and a manifest with the checksum of each.

A zip archive of `manifest.json`, `events.jsonl` (an envelope a line) and `artifacts/<sha256>`. Whoever reads one
believes nothing: sizes are counted while they are read, names and ids must be those that the manifest leads to.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from pydantic import Field, ValidationError

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope, Value
from events.catalog import UnknownEvent, decode
from events.processing import ProcessingRequested, StageCompleted
from events.upcasts import upcast

FORMAT, VERSION = "repostream-bundle", 1
_MANIFEST, _EVENTS, _ARTIFACTS = "manifest.json", "events.jsonl", "artifacts/"
_MOST_MANIFEST = 4_000_000
_PIECE = 1 << 20
LEFT_OUT = frozenset({ArtifactKind.LEXICON, ArtifactKind.UPLOAD})  # made again; and what the sources came of


class BadBundle(Exception):
    """A file that is not taken: a code, and a sentence that says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Part(Value):
    """One member: its size and checksum."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(Value):
    """What is in a bundle. `host` and `name` are the repository's; members by their names."""

    format: str
    version: int
    analysis_id: UUID
    host: str
    name: str
    made_at: datetime
    members: dict[str, Part] = Field(max_length=100_000)


@dataclass(frozen=True)
class Limits:
    """How many bytes all members may have, unpacked, and how many the events."""

    bytes: int = 2_000_000_000
    events: int = 200_000_000


@dataclass(frozen=True)
class Bundle:
    """A bundle that was looked through. `content` reads an artifact by its checksum."""

    path: Path
    sha256: str
    manifest: Manifest
    events: tuple[Envelope, ...]

    @property
    def request(self) -> ProcessingRequested:
        """What was asked for."""
        return ProcessingRequested.model_validate(self.events[0].data)

    def content(self, ref: ArtifactRef) -> bytes:
        """The bytes of an artifact. Raises BadBundle."""
        with zipfile.ZipFile(self.path) as archive:
            return _read(archive, f"{_ARTIFACTS}{ref.sha256}", self.manifest)


class Writer:
    """Writes a bundle into `file`, an artifact at a time; `close` ends it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._members: dict[str, Part] = {}

    def artifact(self, content: bytes) -> None:
        """Add an artifact, once."""
        name = f"{_ARTIFACTS}{hashlib.sha256(content).hexdigest()}"
        if name not in self._members:
            self._add(name, content, zipfile.ZIP_STORED)  # Parquet is packed already

    def close(self, events: Sequence[Envelope], *, host: str, name: str, made_at: datetime) -> None:
        """Add the events and the manifest."""
        lines = "".join(f"{envelope.model_dump_json()}\n" for envelope in events)
        self._add(_EVENTS, lines.encode(), zipfile.ZIP_DEFLATED)
        manifest = Manifest(
            format=FORMAT,
            version=VERSION,
            analysis_id=UUID(events[0].stream_id.partition("/")[2]),
            host=host,
            name=name,
            made_at=made_at,
            members=self._members,
        )
        self._archive.writestr(_member(_MANIFEST, zipfile.ZIP_DEFLATED), manifest.model_dump_json(indent=1))
        self._archive.close()

    def _add(self, name: str, content: bytes, how: int) -> None:
        self._members[name] = Part(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        self._archive.writestr(_member(name, how), content)


def _member(name: str, how: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)  # with the one date that all have: the same analysis is the same file
    info.compress_type = how
    return info


def artifacts_of(events: Sequence[Envelope]) -> tuple[ArtifactRef, ...]:
    """The artifacts of an analysis that belong into its bundle, each once."""
    found: dict[str, ArtifactRef] = {}
    for envelope in events:
        if envelope.event_type == StageCompleted.event_type:
            for ref in StageCompleted.model_validate(envelope.data).artifacts:
                if ref.kind not in LEFT_OUT:
                    found.setdefault(ref.sha256, ref)
    return tuple(found.values())


def read(path: Path, limits: Limits | None = None) -> Bundle:
    """Look a bundle through, to its last byte. Raises BadBundle."""
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            _members(archive, manifest, limits)
            for name in manifest.members:
                if name != _EVENTS:
                    _check(archive, name, manifest)
            events = _events(_read(archive, _EVENTS, manifest), manifest)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise BadBundle("bundle_unreadable", "The file is no bundle, or is damaged: export it again.") from error
    return Bundle(path, _digest(path), manifest, events)


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    if _MANIFEST not in archive.namelist():
        raise BadBundle("bundle_unreadable", "The file is no bundle: it has no manifest.")
    with archive.open(_MANIFEST) as member:
        text = member.read(_MOST_MANIFEST + 1)
    if len(text) > _MOST_MANIFEST:
        raise BadBundle("bundle_too_large", f"The manifest has more than {_MOST_MANIFEST:,} bytes.")
    try:
        said = json.loads(text)
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise BadBundle("bundle_unreadable", "The file is no bundle of this kind.")
        if said.get("version") != VERSION:
            raise BadBundle(
                "bundle_version", f"It takes a release that reads bundles of version {said.get('version')}."
            )
        return Manifest.model_validate(said)
    except (ValueError, RecursionError) as error:
        raise BadBundle("bundle_unreadable", "The manifest cannot be read: export it again.") from error


def _members(archive: zipfile.ZipFile, manifest: Manifest, limits: Limits) -> None:
    """Hold the archive's list to the manifest's: every name once, known, of the form that ours have."""
    names = [name for name in archive.namelist() if name != _MANIFEST]
    if sorted(names) != sorted(manifest.members) or _EVENTS not in manifest.members:
        raise BadBundle("bundle_members", "What is in the file is not what its manifest says: export it again.")
    for name, part in manifest.members.items():
        if name not in {_EVENTS, f"{_ARTIFACTS}{part.sha256}"}:
            raise BadBundle("bundle_members", "A member has a name that no member of a bundle has.")
    most = limits.bytes
    if sum(part.bytes for part in manifest.members.values()) > most or manifest.members[_EVENTS].bytes > limits.events:
        raise BadBundle("bundle_too_large", f"Unpacked it would have more than {most:,} bytes.")


def _pieces(archive: zipfile.ZipFile, name: str, manifest: Manifest) -> Iterator[bytes]:
    """A member as it is unpacked: no more than its manifest says, and with that checksum."""
    part, seen, digest = manifest.members[name], 0, hashlib.sha256()
    with archive.open(name) as member:
        while piece := member.read(_PIECE):
            seen += len(piece)
            if seen > part.bytes:
                raise BadBundle("bundle_damaged", "A member is longer than its manifest says.")
            digest.update(piece)
            yield piece
    if seen != part.bytes or digest.hexdigest() != part.sha256:
        raise BadBundle("bundle_damaged", "A member is not what its checksum says: export it again.")


def _read(archive: zipfile.ZipFile, name: str, manifest: Manifest) -> bytes:
    return b"".join(_pieces(archive, name, manifest))


def _check(archive: zipfile.ZipFile, name: str, manifest: Manifest) -> None:
    for _ in _pieces(archive, name, manifest):
        pass


def _events(text: bytes, manifest: Manifest) -> tuple[Envelope, ...]:
    try:
        events = tuple(upcast(Envelope.model_validate_json(line)) for line in text.splitlines())
        for envelope in events:
            decode(envelope)
    except (ValidationError, UnknownEvent, ValueError) as error:
        raise BadBundle("bundle_event", "An event in it is none that this release reads.") from error
    if not events or events[0].event_type != ProcessingRequested.event_type:
        raise BadBundle("bundle_event", "Its events do not begin with the request of an analysis.")
    _own(events, manifest)
    return events


def _own(events: Sequence[Envelope], manifest: Manifest) -> None:
    """Hold every id to the analysis that the manifest names."""
    first, stream = events[0], f"analysis/{manifest.analysis_id}"
    whole = [envelope.version for envelope in events] == list(range(1, len(events) + 1))
    same = all(
        (e.stream_id, e.tenant_id, e.repository_id) == (stream, first.tenant_id, first.repository_id) for e in events
    )
    ids: Mapping[str, Part] = manifest.members
    there = all(f"{_ARTIFACTS}{ref.sha256}" in ids for ref in artifacts_of(events))
    requested = ProcessingRequested.model_validate(first.data).analysis_id == manifest.analysis_id
    if not (whole and same and there and requested) or len({e.event_id for e in events}) < len(events):
        raise BadBundle("bundle_foreign", "Its events are not those of one analysis, or lack an artifact.")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
