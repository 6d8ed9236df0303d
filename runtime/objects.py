"""The object store: immutable blobs, named by the SHA-256 of their bytes, in a folder or in S3, GCS or Azure.

Each tenant has its own: the same bytes of two tenants are two blobs. Whoever reads names a blob by the key that an
event or a row of the tenant has; blobs from before tenants had their own keep the keys they have.
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self
from uuid import UUID

import obstore
from obstore.exceptions import GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, from_url

from runtime.faults import Permanent, ResourceExhausted, Transient

_AT_ONCE = 4  # blobs that are held in memory while their bytes are checked
_AWAY = (OSError, GenericError, PermissionDeniedError, UnauthenticatedError)  # that it does not answer, or not us
_NO_SPACE = ("no space left", "storagefull", "os error 28", "disk quota")


@dataclass(frozen=True)
class StoredObject:
    """Where a blob is and what it is. `bytes` is its size."""

    key: str
    sha256: str
    bytes: int


class Claims(Protocol):
    """The books of who refers to which blob."""

    async def claim(self, keys: Collection[str], owner: UUID) -> None:
        """Say that `owner` refers to these blobs. Raises Permanent where nothing may be kept for it any more."""
        ...


class Objects:
    """Put and get blobs. A blob is written once: the same bytes of a tenant always have the same key."""

    def __init__(
        self, store: ObjectStore, claims: Claims | None = None, tenant: UUID | None = None, owner: UUID | None = None
    ) -> None:
        """`claims` hears, before it is written, of each blob that is put for an `owner`."""
        self._store = store
        self._claims = claims
        self._tenant = tenant
        self._owner = owner

    def claimed_in(self, claims: Claims) -> Self:
        """The same store, whose blobs are entered in these books."""
        return type(self)(self._store, claims, self._tenant, self._owner)

    def of(self, tenant: UUID, owner: UUID | None) -> Self:
        """The same store, for blobs of a tenant that its `owner` (a repository) refers to."""
        return type(self)(self._store, self._claims, tenant, owner)

    async def put(self, prefix: str, suffix: str, content: bytes) -> StoredObject:
        """Store `content` at `<tenant>/<prefix>/<sha256><suffix>`; storing it again changes nothing.

        Raises ResourceExhausted where the disk is full, Transient `store_unavailable`.
        """
        if self._tenant is None:
            raise ValueError("a blob is put for a tenant: see `of`")
        sha256 = hashlib.sha256(content).hexdigest()
        key = f"{self._tenant}/{prefix}/{sha256}{suffix}"
        if self._claims is not None and self._owner is not None:
            await self._claims.claim([key], self._owner)
        try:
            await obstore.put_async(self._store, key, content)
        except _AWAY as error:
            if any(sign in str(error).lower() for sign in _NO_SPACE):
                raise ResourceExhausted(
                    "disk_full", "The object store has no space left: free some and retry."
                ) from error
            raise _unavailable() from error
        return StoredObject(key, sha256, len(content))

    async def get(self, key: str, sha256: str | None = None) -> bytes:
        """The bytes at `key`.

        Raises Permanent where they are missing, or are not those of `sha256`, Transient `store_unavailable`.
        """
        try:
            reply = await obstore.get_async(self._store, key)
            content = bytes(await reply.bytes_async())
        except FileNotFoundError as error:
            raise Permanent("artifact_missing", f"The artifact {key} is not in the object store.") from error
        except _AWAY as error:
            raise _unavailable() from error
        if sha256 is not None and await asyncio.to_thread(_digest, content) != sha256:
            raise Permanent("artifact_corrupt", f"The artifact {key} is damaged: its bytes are not the ones written.")
        return content

    async def take_over_all(self, blobs: Mapping[str, str]) -> set[str]:
        """Of these blobs (hash by key), the keys of those that are whole; the owner refers to all of them from now on.

        Raises Permanent where nothing may be kept for the owner any more.
        """
        if self._claims is not None and self._owner is not None and blobs:
            await self._claims.claim(list(blobs), self._owner)
        room = asyncio.Semaphore(_AT_ONCE)

        async def is_whole(key: str, sha256: str) -> bool:
            async with room:
                return await self._whole(key, sha256) is not None

        whole = await asyncio.gather(*(is_whole(key, sha256) for key, sha256 in blobs.items()))
        return {key for key, is_there in zip(blobs, whole, strict=True) if is_there}

    async def _whole(self, key: str, sha256: str) -> bytes | None:
        try:
            return await self.get(key, sha256)
        except Permanent:
            return None

    async def delete(self, key: str) -> None:
        """Remove a blob; a missing one is no error. Raises Transient `store_unavailable`."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except _AWAY as error:
            raise _unavailable() from error


def _unavailable() -> Transient:
    return Transient("store_unavailable", "The object store does not answer: see whether it runs.")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def open_objects(url: str, home: Path) -> Objects:
    """The store at `url`, or the folder `<home>/objects` where `url` is empty."""
    if url:
        return Objects(from_url(url))
    folder = home / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    return Objects(LocalStore(folder, mkdir=True))
