"""An analysis, a conversation or both as one file: events, artifacts, and a manifest with the checksum of each.

A zip archive of `manifest.json`, `events.jsonl` (the analysis, an envelope a line), `conversation.jsonl` and
`artifacts/<sha256>`. Whoever reads one believes nothing: sizes are counted while they are read, names and ids must be
those that the manifest leads to. Its version is the lowest that can say what is in it: 1 has an analysis alone.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from pydantic import Field

from events.artifacts import ArtifactRef
from events.base import Envelope, Value
from events.processing import ProcessingRequested
from events.replay.bundled import BadBundle, check_together, read_analysis, read_conversation

FORMAT = "repostream-bundle"
_ALONE, _WITH_TALK = 1, 2  # versions
VERSIONS = frozenset({_ALONE, _WITH_TALK})
_MANIFEST, _EVENTS, _TALK, _ARTIFACTS = "manifest.json", "events.jsonl", "conversation.jsonl", "artifacts/"
_MOST_MANIFEST = 4_000_000
_PIECE = 1 << 20


class Part(Value):
    """One member: its size and checksum."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class About(Value):
    """The repository: what people call it, and its address, which version 1 has in the analysis alone."""

    host: str
    name: str
    url: str | None = None
    folder: str | None = None


class Manifest(About):
    """What is in a bundle: an analysis, a conversation about the repository, or both; members by their names."""

    format: str
    version: int
    analysis_id: UUID | None = None
    conversation_id: UUID | None = None
    made_at: datetime
    members: dict[str, Part] = Field(max_length=100_000)


@dataclass(frozen=True)
class Limits:
    """How many bytes all members may have, unpacked, and how many the events of an analysis, and of a conversation."""

    bytes: int = 2_000_000_000
    events: int = 200_000_000
    talk: int = 10_000_000


@dataclass(frozen=True)
class Bundle:
    """A bundle that was looked through: the events of the analysis and of the conversation, as far as they are in it.

    `content` reads an artifact by its checksum.
    """

    path: Path
    sha256: str
    manifest: Manifest
    events: tuple[Envelope, ...] = ()
    conversation: tuple[Envelope, ...] = ()

    @property
    def address(self) -> tuple[str, str]:
        """The address of the repository, and the folder of it that is meant."""
        if self.events:
            asked = ProcessingRequested.model_validate(self.events[0].data)
            return asked.url, asked.folder
        return self.manifest.url or "", self.manifest.folder or ""

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

    def close(
        self, about: About, made_at: datetime, events: Sequence[Envelope] = (), conversation: Sequence[Envelope] = ()
    ) -> None:
        """Add the events of either or both, and the manifest."""
        for name, stream in ((_EVENTS, events), (_TALK, conversation)):
            if stream:
                lines = "".join(f"{envelope.model_dump_json()}\n" for envelope in stream)
                self._add(name, lines.encode(), zipfile.ZIP_DEFLATED)
        manifest = Manifest(
            format=FORMAT,
            version=_WITH_TALK if conversation else _ALONE,
            analysis_id=_id_of(events),
            conversation_id=_id_of(conversation),
            made_at=made_at,
            members=self._members,
            **about.model_dump(include=None if conversation else {"host", "name"}),
        )
        said = manifest.model_dump_json(indent=1, exclude_none=True)
        self._archive.writestr(_member(_MANIFEST, zipfile.ZIP_DEFLATED), said)
        self._archive.close()

    def _add(self, name: str, content: bytes, how: int) -> None:
        self._members[name] = Part(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        self._archive.writestr(_member(name, how), content)


def _member(name: str, how: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)  # with the one date that all have: the same analysis is the same file
    info.compress_type = how
    return info


def _id_of(stream: Sequence[Envelope]) -> UUID | None:
    return UUID(stream[0].stream_id.partition("/")[2]) if stream else None


def read(path: Path, limits: Limits | None = None) -> Bundle:
    """Look a bundle through, to its last byte. Raises BadBundle."""
    limits = limits or Limits()
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            _members(archive, manifest, limits)
            for name in manifest.members:
                if name.startswith(_ARTIFACTS):
                    _check(archive, name, manifest)
            events, conversation = _events(archive, manifest), _conversation(archive, manifest)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise BadBundle("bundle_unreadable", "The file is no bundle, or is damaged: export it again.") from error
    check_together(events, conversation)
    found = Bundle(path, _digest(path), manifest, events, conversation)
    if events and conversation and found.address != (manifest.url, manifest.folder):
        raise BadBundle("bundle_foreign", "The analysis in it is of another repository than its manifest says.")
    return found


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
        if said.get("version") not in [*VERSIONS]:
            raise BadBundle(
                "bundle_version", f"It takes a release that reads bundles of version {said.get('version')}."
            )
        return _whole(Manifest.model_validate(said))
    except (ValueError, RecursionError) as error:
        raise BadBundle("bundle_unreadable", "The manifest cannot be read: export it again.") from error


def _whole(manifest: Manifest) -> Manifest:
    """A manifest that has what its version takes. Raises ValueError."""
    is_talk = manifest.version == _WITH_TALK
    if is_talk != (manifest.conversation_id is not None) or (manifest.analysis_id is None and not is_talk):
        raise ValueError("another version's")
    if is_talk and (manifest.url is None or manifest.folder is None):
        raise ValueError("no address")
    return manifest


def _members(archive: zipfile.ZipFile, manifest: Manifest, limits: Limits) -> None:
    """Hold the archive's list to the manifest's: every name once, known, of the form that ours have."""
    names = [name for name in archive.namelist() if name != _MANIFEST]
    streams = {_EVENTS: manifest.analysis_id, _TALK: manifest.conversation_id}
    meant = {name for name, id_ in streams.items() if id_ is not None}
    if sorted(names) != sorted(manifest.members) or meant != streams.keys() & manifest.members.keys():
        raise BadBundle("bundle_members", "What is in the file is not what its manifest says: export it again.")
    for name, part in manifest.members.items():
        if name not in {*meant, f"{_ARTIFACTS}{part.sha256}" if manifest.analysis_id else None}:
            raise BadBundle("bundle_members", "A member has a name that no member of a bundle has.")
    most = limits.bytes
    if _TALK in meant and manifest.members[_TALK].bytes > limits.talk:
        raise BadBundle("bundle_too_large", f"A conversation may have {limits.talk:,} bytes.")
    is_long = _EVENTS in meant and manifest.members[_EVENTS].bytes > limits.events
    if is_long or sum(part.bytes for part in manifest.members.values()) > most:
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


def _events(archive: zipfile.ZipFile, manifest: Manifest) -> tuple[Envelope, ...]:
    if manifest.analysis_id is None:
        return ()
    artifacts = {name.removeprefix(_ARTIFACTS) for name in manifest.members}
    return read_analysis(_read(archive, _EVENTS, manifest), manifest.analysis_id, artifacts)


def _conversation(archive: zipfile.ZipFile, manifest: Manifest) -> tuple[Envelope, ...]:
    if manifest.conversation_id is None:
        return ()
    return read_conversation(_read(archive, _TALK, manifest), manifest.conversation_id)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
