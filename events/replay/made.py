"""The keys by which one sandbox reads what the run of another shadow made. Pure."""

import re
from uuid import UUID

from events.artifacts import ArtifactKind

_KEY = re.compile(r"sandbox/([0-9a-f-]{36})/(\d{1,9})/([a-z_]+)")


def made_key(shadow: UUID, shard: int, kind: ArtifactKind) -> str:
    """The key of what a shard's run of a shadow made of one kind."""
    return f"sandbox/{shadow}/{shard}/{kind.value}"


def read_key(key: str) -> tuple[UUID, int, ArtifactKind] | None:
    """Shadow, shard and kind of a key; None where it is of something that was recorded."""
    found = _KEY.fullmatch(key)
    return None if found is None else (UUID(found[1]), int(found[2]), ArtifactKind(found[3]))
