"""What leaves an installation in a bundle: artifacts and events without whatever has a secret's form. Pure.

In:  an artifact, and the events that name it.
Out: the same with marks where a secret stood, of as many rows and lines; what has none is the very same.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import pyarrow as pa

from events.artifacts import ArtifactKind, ArtifactRef
from events.base import Envelope
from events.processing import StageStarted
from runtime.parquet import read_table, write_table
from runtime.redaction import redact_all, redact_lines

# Text that was read out of files. Names of files are places, and stay; passages and definitions of newer analyses have
# no secrets to begin with.
_TEXTS: Mapping[ArtifactKind, Sequence[str]] = {
    ArtifactKind.SOURCES: ("content",),
    ArtifactKind.CHUNKS: ("header", "text"),
    ArtifactKind.SYMBOLS: ("signature", "docstring"),
}


def clean_artifact(ref: ArtifactRef, content: bytes) -> tuple[ArtifactRef, bytes]:
    """An artifact as it may be given away: its bytes, and a reference to these."""
    columns = _TEXTS.get(ref.kind)
    if columns is None:
        return ref, content
    table = read_table(content)
    clean, paths = table, table["path"].to_pylist()
    for name in columns:
        texts: list[str] = table[name].to_pylist()
        told = [redact_lines(text, path) for text, path in zip(texts, paths, strict=True)]
        if told != texts:
            place = clean.schema.get_field_index(name)
            clean = clean.set_column(place, clean.schema.field(place), pa.array(told, clean.schema.field(place).type))
    if clean is table:
        return ref, content
    written = write_table(clean)
    digest = sha256(written).hexdigest()
    renamed = {"sha256": digest, "key": ref.key.replace(ref.sha256, digest), "bytes": len(written)}
    return ref.model_copy(update=renamed), written


def clean_history(history: Sequence[Envelope], refs: Mapping[str, ArtifactRef]) -> list[Envelope]:
    """Events as they may be given away; the artifacts that they name by a checksum in `refs` are called as there.

    Which worker was at it is left out: its name has that of the machine.
    """
    return [e.model_copy(update={"data": _given(e, refs), "traceparent": None}) for e in history]


def _given(envelope: Envelope, refs: Mapping[str, ArtifactRef]) -> object:
    unnamed = {"worker": ""} if envelope.event_type == StageStarted.event_type else {}
    return _named(redact_all({**envelope.data, **unnamed}), refs)


def _named(value: object, refs: Mapping[str, ArtifactRef]) -> object:
    if isinstance(value, dict):
        ref = refs.get(str(value.get("sha256")))
        if ref is not None:
            return value | ref.model_dump(mode="json", include={"key", "sha256", "bytes"})
        return {name: _named(each, refs) for name, each in value.items()}
    return [_named(each, refs) for each in value] if isinstance(value, list) else value
