from collections.abc import Collection
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from runtime.faults import Permanent
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
