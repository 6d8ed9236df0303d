"""Lock files larger than other files may be: from a clone and from an upload, to the dependencies that they list."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from events.artifacts import ArtifactKind, DependencyRow, TreeRow
from events.processing import Stage, StageCompleted
from processor.jobs.describe import Metadata
from processor.stages.take_sources import SourceLimits
from runtime.parquet import read_rows
from tests.support.archives import zip_of
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.jobs import Bench, FakeRun, a_request, an_upload, said

COUNT = 9_000


def npm_lock(count: int) -> str:
    packages = {
        f"node_modules/package-{number}": {
            "version": f"1.{number}.0",
            "resolved": f"https://host.example/package-{number}/-/package-{number}-1.{number}.0.tgz",
            "integrity": "sha512-" + f"{number:086}" + "==",
            "dependencies": {f"package-{number + 1}": "^1.0.0"},
            "engines": {"node": ">=10"},
        }
        for number in range(count)
    }
    root = {"dependencies": {"package-1": "^1.0.0"}}
    return json.dumps({"name": "x", "lockfileVersion": 3, "packages": {"": root, **packages}}, indent=2)


LOCK = npm_lock(COUNT)
FILES = {
    "app.js": "let x = 1\n",
    "package.json": json.dumps({"name": "x", "dependencies": {"package-1": "^1.0.0"}}),
    "package-lock.json": LOCK,
    "copy.json": LOCK,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    build_repository(folder / "good.git", [FILES])
    with GitServer(folder) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home")
    yield made
    assert made.leftovers() == []
    made.workspace.close()


async def described(bench: Bench, cloned: StageCompleted) -> StageCompleted:
    request = a_request(Stage.METADATA, "", inputs=cloned.artifacts)
    return said(await Metadata(bench.backends)(request, FakeRun()), StageCompleted)


async def check(bench: Bench, cloned: StageCompleted) -> None:
    refs = {ref.kind: ref for ref in cloned.artifacts}
    tree = read_rows(TreeRow, await bench.backends.fetch(refs[ArtifactKind.TREE]))
    assert {row.path: row.skipped for row in tree} == {
        "app.js": None,
        "copy.json": "too_large",
        "package-lock.json": "lock_file",
        "package.json": None,
    }
    assert next(row.size for row in tree if row.path == "package-lock.json") == len(LOCK) > 3_000_000
    completed = await described(bench, cloned)
    facts = completed.metadata_extracted or {}
    assert (facts["locks_read"], facts["unreadable_manifests"]) == (["package-lock.json"], [])
    assert (facts["dependencies_found"], facts["transitive_found"]) == (1, COUNT - 1)
    [rows] = [read_rows(DependencyRow, await bench.backends.fetch(ref)) for ref in completed.artifacts]
    last = next(row for row in rows if row.name == f"package-{COUNT - 1}")
    assert (last.version, last.scope, LOCK.split("\n")[last.line - 1].strip()) == (
        f"1.{COUNT - 1}.0",
        "transitive",
        f'"node_modules/package-{COUNT - 1}": {{',
    )


async def test_a_lock_file_of_megabytes_is_read_of_a_clone(server: GitServer, bench: Bench) -> None:
    request = a_request(Stage.CLONE, server.url("good"))

    await check(bench, said(await bench.clone(request, FakeRun()), StageCompleted))


async def test_a_lock_file_of_megabytes_is_read_of_an_upload(bench: Bench) -> None:
    raw = zip_of({name: text.encode() for name, text in FILES.items()})

    await check(bench, said(await bench.clone(await an_upload(bench, raw), FakeRun()), StageCompleted))


async def test_one_above_the_limit_is_named_as_not_read(server: GitServer, bench: Bench) -> None:
    clone = replace(bench.clone, limits=SourceLimits(manifest_bytes=2_000_000))
    cloned = said(await clone(a_request(Stage.CLONE, server.url("good")), FakeRun()), StageCompleted)

    facts = (await described(bench, cloned)).metadata_extracted or {}

    assert (facts["locks_read"], facts["dependencies_found"], facts["transitive_found"]) == ([], 1, 0)
    [unread] = facts["unreadable_manifests"]  # type: ignore[misc]  # a list of mappings
    assert unread["path"] == "package-lock.json"
    assert "larger than is read" in unread["reason"]
