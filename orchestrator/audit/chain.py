"""The seal of the audit trail, worked out without the database that holds it. Pure.

Each entry's hash is SHA-256 over the hash before it and the entry, as JSON in the order below. Whoever changes or
removes an entry must therefore change all that follow, up to a hash that somebody may have noted elsewhere.

Address and agent are in it as `origin`, a salted hash: where an account was deleted, salt, address and agent are gone.
Entries of older releases have no `origin`, and both themselves in their hash.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

START = hashlib.sha256(b"").digest()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE = (
    "position", "entry_id", "at", "action", "outcome", "target", "status", "code", "tenant_id", "user_id", "proof",
    "proof_id",
)  # fmt: skip
_AFTER = ("correlation_id", "times")


def hash_of(previous: bytes, entry: Mapping[str, object]) -> bytes:
    """The hash of an entry as the API shows it (`at` in ISO 8601, bytes in hexadecimal)."""
    at = datetime.fromisoformat(str(entry["at"])) - _EPOCH
    origin = ("address", "agent") if entry.get("origin") is None else ("origin",)
    names = (*_BEFORE, *origin, *_AFTER)
    values = [at // timedelta(microseconds=1) if name == "at" else entry[name] for name in names]
    return hashlib.sha256(previous + json.dumps(values, ensure_ascii=False).encode()).digest()


def has_its_origin(entry: Mapping[str, object]) -> bool:
    """Whether address and agent are those of the entry's `origin`, or gone together with the salt."""
    if entry.get("origin") is None:
        return True
    if entry.get("salt") is None:
        return not entry["address"] and not entry["agent"]
    said = json.dumps([entry["address"], entry["agent"]], ensure_ascii=False).encode()
    return hashlib.sha256(bytes.fromhex(str(entry["salt"])) + said).hexdigest() == entry["origin"]


def first_broken(entries: Iterable[Mapping[str, object]], *, after: int, previous: bytes) -> int | None:
    """The position of the first entry that does not fit what stands before it; None where all do.

    `after` and `previous` are the position and the hash before the first entry: 0 and START for a whole trail.
    """
    for entry in entries:
        previous = hash_of(previous, entry)
        after += 1
        if entry["position"] != after or entry["hash"] != previous.hex() or not has_its_origin(entry):
            return after
    return None
