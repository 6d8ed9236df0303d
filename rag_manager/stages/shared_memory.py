"""What processes share of the searches of the last minutes: under which names, and how it is sealed. Pure.

In:  an installation's key; whose analysis; what was asked, as text.
Out: the name of an analysis' entries, the place among them, and a seal that only who asks the same can open.
"""

import base64
import hmac
import zlib
from dataclasses import dataclass
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken

PLACES = 512  # of an analysis: what comes to a place that is taken replaces what was there
SECONDS = 300  # that something is kept
MOST_BYTES = 128_000  # of one entry, sealed; a larger one is not kept


@dataclass(frozen=True)
class Entry:
    """One thing that was asked: where it is kept, who makes it, its seal. What is kept of it begins with its `tag`."""

    name: str
    place: str
    lease: str
    key: bytes
    tag: bytes

    def seal(self, value: bytes) -> bytes | None:
        """The bytes to be kept; None where they are too many."""
        sealed = self.tag + Fernet(self.key).encrypt(zlib.compress(value, 1))
        return sealed if len(sealed) <= MOST_BYTES else None

    def open(self, sealed: bytes | None) -> bytes | None:
        """What was sealed; None where there is nothing, something else, or something older than is kept."""
        if sealed is None or not sealed.startswith(self.tag):
            return None
        try:
            return zlib.decompress(Fernet(self.key).decrypt(sealed.removeprefix(self.tag), ttl=SECONDS))
        except (InvalidToken, zlib.error):
            return None


def entries_name(tenant_id: UUID, analysis_id: UUID) -> str:
    """The one key under which all entries of an analysis are: removed with it."""
    return f"found.{tenant_id}.{analysis_id}"


def entry_of(key: bytes, tenant_id: UUID, analysis_id: UUID, asked: str) -> Entry:
    """The entry of what was `asked`, which has all that an answer depends on; it takes both and `key` to open it."""
    name = entries_name(tenant_id, analysis_id)
    whole = f"{name}\n{asked}".encode()
    digest = hmac.digest(key, b"place\n" + whole, "sha256")
    place = str(int.from_bytes(digest[:4]) % PLACES)
    seal = base64.urlsafe_b64encode(hmac.digest(key, b"seal\n" + whole, "sha256"))
    tag = digest[4:20].hex()
    return Entry(name, place, f"{name}.lease.{tag}", seal, tag.encode())
