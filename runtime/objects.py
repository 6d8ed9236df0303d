"""The object store: immutable blobs, named by the SHA-256 of their bytes, in a folder or in S3, GCS or Azure."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from runtime.faults import Permanent, ResourceExhausted

_NO_SPACE = ("no space left", "storagefull", "os error 28", "disk quota")


@dataclass(frozen=True)
class StoredObject:
    """Where a blob is and what it is. `bytes` is its size."""

    key: str
    sha256: str
    bytes: int


class Objects:
    """Put and get blobs. A blob is written once: the same bytes always have the same key."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, prefix: str, suffix: str, content: bytes) -> StoredObject:
        """Store `content` at `<prefix>/<sha256><suffix>`; storing it again changes nothing.

        Raises ResourceExhausted where the disk is full.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        key = f"{prefix}/{sha256}{suffix}"
        try:
            await obstore.put_async(self._store, key, content)
        except (OSError, obstore.exceptions.BaseError) as error:
            if any(sign in str(error).lower() for sign in _NO_SPACE):
                raise ResourceExhausted(
                    "disk_full", "The object store has no space left: free some and retry."
                ) from error
            raise
        return StoredObject(key, sha256, len(content))

    async def get(self, key: str, sha256: str | None = None) -> bytes:
        """The bytes at `key`. Raises Permanent where they are missing, or are not those of `sha256`."""
        try:
            reply = await obstore.get_async(self._store, key)
            content = bytes(await reply.bytes_async())
        except FileNotFoundError as error:
            raise Permanent("artifact_missing", f"The artifact {key} is not in the object store.") from error
        if sha256 is not None and await asyncio.to_thread(_digest, content) != sha256:
            raise Permanent("artifact_corrupt", f"The artifact {key} is damaged: its bytes are not the ones written.")
        return content

    async def delete(self, key: str) -> None:
        """Remove a blob; a missing one is no error."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def open_objects(url: str, home: Path) -> Objects:
    """The store at `url`, or the folder `<home>/objects` where `url` is empty."""
    if url:
        return Objects(from_url(url))
    folder = home / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    return Objects(LocalStore(folder, mkdir=True))
