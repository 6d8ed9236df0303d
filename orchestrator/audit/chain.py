"""The seal of the audit trail, worked out without the database that holds it. Pure.

Each entry's hash is SHA-256 over the hash before it and the entry, as JSON in the order below. Whoever changes or
removes an entry must therefore change all that follow, up to a hash that somebody may have noted elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

START = hashlib.sha256(b"").digest()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = (
    "position", "entry_id", "at", "action", "outcome", "target", "status", "code", "tenant_id", "user_id", "proof",
    "proof_id", "address", "agent", "correlation_id", "times",
)  # fmt: skip


def hash_of(previous: bytes, entry: Mapping[str, object]) -> bytes:
    """The hash of an entry as the API shows it (`at` in ISO 8601)."""
    at = datetime.fromisoformat(str(entry["at"])) - _EPOCH
    values = [at // timedelta(microseconds=1) if name == "at" else entry[name] for name in _FIELDS]
    return hashlib.sha256(previous + json.dumps(values, ensure_ascii=False).encode()).digest()


def first_broken(entries: Iterable[Mapping[str, object]], *, after: int, previous: bytes) -> int | None:
    """The position of the first entry that does not fit what stands before it; None where all do.

    `after` and `previous` are the position and the hash before the first entry: 0 and START for a whole trail.
    """
    for entry in entries:
        previous = hash_of(previous, entry)
        after += 1
        if entry["position"] != after or entry["hash"] != previous.hex():
            return after
    return None
