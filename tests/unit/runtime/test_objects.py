from collections.abc import Collection
from pathlib import Path
from uuid import UUID, uuid4

import obstore
import pytest
from obstore.exceptions import GenericError, UnauthenticatedError

from runtime.faults import Permanent, ResourceExhausted, Transient
from runtime.objects import open_objects


class Books:
    """Who refers to which blob, as it was heard."""

    def __init__(self) -> None:
        self.claimed: list[tuple[str, UUID]] = []

    async def claim(self, keys: Collection[str], owner: UUID) -> None:
        self.claimed += [(key, owner) for key in keys]


async def test_the_same_bytes_are_one_blob_of_a_tenant_and_another_one_of_the_next(tmp_path: Path) -> None:
    books, one, other, repository = Books(), uuid4(), uuid4(), uuid4()
    objects = open_objects("", tmp_path).claimed_in(books)

    mine = await objects.of(one, repository).put("sources", ".parquet", b"same")
    again = await objects.of(one, repository).put("sources", ".parquet", b"same")
    theirs = await objects.of(other, None).put("sources", ".parquet", b"same")

    assert mine == again
    assert mine.key == f"{one}/sources/{mine.sha256}.parquet"
    assert theirs.key == f"{other}/sources/{mine.sha256}.parquet"
    assert books.claimed == [(mine.key, repository)] * 2

    await objects.delete(mine.key)
    assert await objects.get(theirs.key, theirs.sha256) == b"same"
    with pytest.raises(Permanent, match="is not in the object store"):
        await objects.get(mine.key)


async def test_nothing_is_put_for_nobody(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="for a tenant"):
        await open_objects("", tmp_path).put("sources", ".parquet", b"x")


async def test_a_blob_from_before_tenants_had_their_own_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "objects" / "sources").mkdir(parents=True)
    (tmp_path / "objects" / "sources" / "old.parquet").write_bytes(b"old")
    objects = open_objects("", tmp_path)

    assert await objects.get("sources/old.parquet") == b"old"
    await objects.delete("sources/old.parquet")
    assert not (tmp_path / "objects" / "sources" / "old.parquet").exists()


@pytest.mark.parametrize("error", [GenericError("503 Slow Down"), UnauthenticatedError("no"), ConnectionError("reset")])
async def test_a_store_that_is_away_can_be_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object) -> None:
        raise error

    for name in ("get_async", "put_async", "delete_async"):
        monkeypatch.setattr(obstore, name, fail)
    objects = open_objects("", tmp_path).of(uuid4(), None)

    for asked in (objects.get("some"), objects.put("sources", ".parquet", b"x"), objects.delete("some")):
        with pytest.raises(Transient, match="store_unavailable"):
            await asked
    with pytest.raises(Transient, match="store_unavailable"):
        await objects.take_over_all({"some": "0" * 64})


async def test_a_full_disk_is_none_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise GenericError("No space left on device (os error 28)")

    monkeypatch.setattr(obstore, "put_async", fail)

    with pytest.raises(ResourceExhausted, match="disk_full"):
        await open_objects("", tmp_path).of(uuid4(), None).put("sources", ".parquet", b"x")
