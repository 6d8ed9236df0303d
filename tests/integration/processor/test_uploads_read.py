"""Uploads through the whole clone job: the same rows as from a clone, and hostile ones that disturb nobody."""

import asyncio
import gzip
import lzma
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from events.artifacts import ArtifactKind, SourceRow, TreeRow
from events.processing import ProcessingStarted, Stage, StageCompleted
from processor.adapters.archive import UploadedArchives
from processor.archives.limits import ArchiveLimits
from runtime.archive_kinds import ArchiveKind
from runtime.faults import Cancelled, Permanent
from runtime.parquet import read_rows
from tests.support.archives import PACK, raw_header, zip_of
from tests.support.git_repositories import build_repository, git
from tests.support.git_server import GitServer
from tests.support.hostile_archives import HOSTILE, LIMITS
from tests.support.jobs import Bench, FakeRun, QuietWatch, a_request, an_upload, said

FILES = {
    "README.md": "# All\n",
    "src/app.py": "def app() -> int:\n    return 1\n",
    "src/sub dir/größe.py": "y = 2\n",
    "src.py": "z = 3\n",
    "package-lock.json": '{"lockfileVersion": 3, "packages": {}}\n',
    "big.txt": Random(1).randbytes(600_000).hex(" ", 30),
    "data.bin": "\0\1\2",
}
BOMBS = ("a tar.gz of zeros", "four bytes of zstd for each 128 KiB", "one member named often", "notes about notes")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home", archive_limits=LIMITS)
    yield made
    assert made.leftovers() == []
    made.workspace.close()


async def rows_of(bench: Bench, completed: StageCompleted) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for ref in completed.artifacts:
        row = TreeRow if ref.kind is ArtifactKind.TREE else SourceRow
        found.setdefault(ref.kind.value, []).append(read_rows(row, await bench.backends.fetch(ref)))
    return found


async def test_the_same_content_gives_the_same_rows_by_git_and_by_every_kind_of_archive(
    tmp_path: Path, bench: Bench
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    build_repository(served / "good.git", [FILES])
    packed = {ArchiveKind.ZIP: archived(served / "good.git", "zip")}
    packed |= {kind: pack(archived(served / "good.git", "tar")) for kind, pack in PACK.items()}
    with GitServer(served) as server:
        cloned = said(await bench.clone(a_request(Stage.CLONE, server.url("good")), FakeRun()), StageCompleted)

    expected = await rows_of(bench, cloned)
    tree = git(served / "good.git", "rev-parse", "HEAD^{tree}").decode().strip()
    assert {row.path for row in expected["tree"][0]} == set(FILES)  # type: ignore[attr-defined]  # rows of the tree
    assert {"sources", "locks"} < expected.keys()
    for raw in packed.values():
        result = await bench.clone(await an_upload(bench, raw), FakeRun())
        completed, started = said(result, StageCompleted), said(result, ProcessingStarted)
        assert await rows_of(bench, completed) == expected
        assert (completed.counts, completed.facts["skipped"]) == (cloned.counts, cloned.facts["skipped"])
        assert (started.commit, started.ref) == (tree, "upload")


def archived(repository: Path, kind: str) -> bytes:
    """As hosts pack a commit: everything in one folder."""
    command = ["git", "-C", str(repository), "archive", f"--format={kind}", "--prefix=good-1.0/", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True).stdout


async def test_a_folder_of_an_upload_is_read_alone(bench: Bench) -> None:
    raw = zip_of({name: text.encode() for name, text in FILES.items()})

    completed = said(await bench.clone(await an_upload(bench, raw, folder="src"), FakeRun()), StageCompleted)

    [rows] = (await rows_of(bench, completed))["tree"]
    assert {row.path for row in rows} == {"src/app.py", "src/sub dir/größe.py"}  # type: ignore[attr-defined]
    assert completed.facts["out_of_scope"] == 5
    with pytest.raises(Permanent, match="folder_not_found"):
        await bench.clone(await an_upload(bench, raw, folder="none"), FakeRun())


async def test_what_a_rule_leaves_out_of_an_upload_is_read_all_the_same_where_a_pattern_says_so(bench: Bench) -> None:
    large = Random(2).randbytes(550_000).hex("\n", 30).encode()
    files = {"app.py": b"x = 1\n", "vendor/zlib.py": b"y = 1\n", "out.py": b"z = 1\n", "large.py": large}
    raw = zip_of({**files, ".gitignore": b"out.py\n"})

    async def skipped(*include: str) -> dict[str, str | None]:
        result = await bench.clone(await an_upload(bench, raw, include=include), FakeRun())
        [rows] = (await rows_of(bench, said(result, StageCompleted)))["tree"]
        return {row.path: row.skipped for row in rows if row.path in files}  # type: ignore[attr-defined]  # of the tree

    usual = {"app.py": None, "vendor/zlib.py": "vendored", "out.py": "ignored", "large.py": "too_large"}
    assert await skipped() == usual
    assert await skipped("vendor/", "out.py") == usual | {"vendor/zlib.py": None, "out.py": None}
    assert (await skipped("large.py"))["large.py"] is None


async def test_hostile_uploads_end_with_their_codes_while_others_beside_them_are_read(bench: Bench) -> None:
    good = await an_upload(bench, zip_of({"a.py": b"x = 1\n"}))
    bad = [await an_upload(bench, HOSTILE[name][1]()) for name in BOMBS]

    ends = await asyncio.gather(*(bench.clone(each, FakeRun()) for each in (good, *bad, good)), return_exceptions=True)

    assert [getattr(end, "code", "read") for end in ends] == ["read", *(HOSTILE[name][0] for name in BOMBS), "read"]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (replace(LIMITS, memory_bytes=30 << 20), "archive_memory"),
        (replace(LIMITS, seconds=0.0), "archive_timeout"),
        (replace(LIMITS, cpu_seconds=1), "archive_timeout"),
    ],
)
def test_a_process_that_takes_too_much_is_ended_and_nothing_is_left(
    bench: Bench, limits: ArchiveLimits, code: str
) -> None:
    uploads = UploadedArchives(bench.workspace, replace(limits, total_bytes=10**13, ratio=10**9))
    if code == "archive_memory":
        raw = lzma.compress(bytes(10_240), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 64 << 20}])
    else:
        zeros = gzip.compress(bytes(50_000_000), 1)
        raw = gzip.compress(raw_header(b"a", b"%011o\0" % (8**11 - 1))) + zeros * 170

    with pytest.raises(Permanent, match=code), uploads.checkout([raw], QuietWatch()):
        pytest.fail("it was read")


def test_reading_stops_when_it_is_told_to(bench: Bench) -> None:
    uploads = UploadedArchives(bench.workspace, LIMITS)

    with pytest.raises(Cancelled), uploads.checkout([zip_of({"a": b"1"})], QuietWatch(stop=True)):
        pytest.fail("it was read")
