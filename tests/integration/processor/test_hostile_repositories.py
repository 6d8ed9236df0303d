"""Repositories that were made to do harm, through the whole clone job."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from events.artifacts import ArtifactKind, DependencyRow, SourceRow, TreeRow
from events.base import Envelope
from events.processing import ProcessingStarted, Stage, StageCompleted
from processor.jobs.base import inputs_of
from processor.jobs.describe import Metadata, Structure
from processor.stages.take_sources import SourceLimits
from runtime.faults import Permanent
from runtime.parquet import read_rows
from tests.support.git_repositories import (
    Executable,
    Submodule,
    Symlink,
    build_repository,
    commit_tree,
    empty_repository,
    text_tree,
    tree_bomb,
    tree_payload,
    write_object,
)
from tests.support.git_server import GitServer, Manner
from tests.support.jobs import Bench, FakeRun, a_request, said


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    folder = tmp_path / "served"
    folder.mkdir()
    with GitServer(folder) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "home")
    yield made
    assert made.leftovers() == []
    made.workspace.close()


async def cloned(bench: Bench, url: str) -> tuple[StageCompleted, list[TreeRow], list[SourceRow]]:
    completed = said(await bench.clone(a_request(Stage.CLONE, url), FakeRun()), StageCompleted)
    tree: list[TreeRow] = []
    sources: list[SourceRow] = []
    for ref in completed.artifacts:
        content = await bench.backends.fetch(ref)
        if ref.kind is ArtifactKind.TREE:
            tree += read_rows(TreeRow, content)
        else:
            sources += read_rows(SourceRow, content)
    return completed, tree, sources


async def test_a_clone_says_what_it_found_and_that_processing_has_begun(server: GitServer, bench: Bench) -> None:
    files = text_tree("""
        README.md
            # Dog

            Barks.
        src/dog.py
            class Dog:
                def bark(self): ...
    """)
    [commit] = build_repository(server.folder / "dog.git", [files], subjects=["Teach it to bark"])
    envelope = a_request(Stage.CLONE, server.url("dog"))

    result = await bench.clone(envelope, FakeRun())

    begun, completed = said(result, ProcessingStarted), said(result, StageCompleted)
    size = sum(len(text) for text in files.values())
    assert begun == ProcessingStarted(
        url=server.url("dog"), commit=commit, ref="main", size=size, file_count=2, skipped_count=0
    )
    assert completed.counts == {"files": 2, "bytes": size, "lines": 5, "entries": 2, "skipped": 0}
    assert {name: fact for name, fact in completed.facts.items() if name != "fetch_seconds"} == {
        "commit": commit,
        "ref": "main",
        "default_branch": "main",
        "last_commit_at": "2023-11-14T23:13:20+01:00",
        "last_commit_subject": "Teach it to bark",
        "languages": {"markdown": 14, "python": 35},
        "rules": {"files": 0, "lines": 0},
        "skipped": {},
        "tree_cut": False,
    }
    assert [(ref.kind, ref.shard, ref.rows) for ref in completed.artifacts] == [
        (ArtifactKind.TREE, 0, 2),
        (ArtifactKind.SOURCES, 0, 2),
    ]
    assert [append.stream_id for append in result.appends] == [envelope.stream_id]
    assert bench.redis.ticks[-1]["done"] == 2


async def test_the_same_commit_gives_the_same_artifacts(server: GitServer, bench: Bench, tmp_path: Path) -> None:
    build_repository(server.folder / "x.git", [{f"f{number}.py": f"x = {number}\n" for number in range(40)}])
    again = Bench(tmp_path / "another", SourceLimits())

    first, _, _ = await cloned(bench, server.url("x"))
    second, _, _ = await cloned(again, server.url("x"))

    assert [ref.sha256 for ref in first.artifacts] == [ref.sha256 for ref in second.artifacts]


async def test_links_submodules_and_odd_names_are_recorded_and_never_followed(server: GitServer, bench: Bench) -> None:
    build_repository(
        server.folder / "odd.git",
        [
            {
                "ok.py": "x = 1\n",
                "run": Executable(b"#!/usr/bin/env python3\n"),
                "passwd": Symlink("/etc/passwd"),
                "up": Symlink("../../../../etc"),
                "module": Submodule(),
                ".gitmodules": '[submodule "module"]\n\tpath = module\n\turl = https://example.org/module\n',
                b"bad\nname.py": "x\n",
                b"\xff\xfe.py": "x\n",
                "a\u202egpj.py": "x\n",
                "\u00fcml\u00e4ut/\u6587\u4ef6.md": "hi\n",
                "back\\slash": "x\n",
            }
        ],
    )

    _, tree, sources = await cloned(bench, server.url("odd"))

    assert {row.path: row.skipped for row in tree if row.skipped} == {
        "passwd": "symlink",
        "up": "symlink",
        "module": "submodule",
        "bad\\nname.py": "bad_path",
        "\\udcff\\udcfe.py": "bad_path",
        "a\\u202egpj.py": "bad_path",
        "back\\\\slash": "bad_path",
    }
    assert sorted(row.path for row in sources) == [".gitmodules", "ok.py", "run", "\u00fcml\u00e4ut/\u6587\u4ef6.md"]
    assert {row.path: row.language for row in sources}["run"] == "python"


async def test_a_repository_cannot_hide_its_sources_by_attributes(server: GitServer, bench: Bench) -> None:
    build_repository(
        server.folder / "hide.git",
        [{".gitattributes": "* export-ignore filter=lfs -text\nsecret.py export-ignore\n", "secret.py": "x = 1\n"}],
    )

    _, _, sources = await cloned(bench, server.url("hide"))

    assert {row.path: row.content for row in sources}["secret.py"] == "x = 1\n"


@pytest.mark.parametrize("manner", [Manner.SERVE, Manner.NO_FILTER])
async def test_a_huge_file_is_left_out_whether_or_not_the_server_filters(
    server: GitServer, bench: Bench, manner: Manner
) -> None:
    build_repository(server.folder / "huge.git", [{"huge.txt": "x\n" * 1_000_000, "ok.txt": "ok\n"}])

    _, tree, sources = await cloned(bench, server.behave("huge", manner))

    assert [row.path for row in sources] == ["ok.txt"]
    huge = next(row for row in tree if row.path == "huge.txt")
    assert huge.skipped == "too_large"
    assert huge.size == (1_048_576 if manner is Manner.SERVE else 2_000_000)


async def test_a_tree_bomb_is_cut_at_the_limit(server: GitServer, tmp_path: Path) -> None:
    tree_bomb(server.folder / "bomb.git", depth=10, width=10)
    bench = Bench(tmp_path / "home", SourceLimits(files=500), tree_entries=5_000)
    began = time.monotonic()

    completed, tree, sources = await cloned(bench, server.url("bomb"))

    assert (len(tree), len(sources)) == (5_000, 500)
    assert completed.facts["tree_cut"] is True
    assert completed.facts["skipped"] == {"too_many_files": 4_500}
    assert time.monotonic() - began < 30
    assert bench.leftovers() == []


async def test_a_tree_of_three_hundred_levels_is_read_as_far_as_it_goes(server: GitServer, bench: Bench) -> None:
    repository = empty_repository(server.folder / "deep.git")
    oid, mode = write_object(repository, "blob", b"x\n"), "100644"
    for _ in range(300):
        oid = write_object(repository, "tree", tree_payload([(mode, b"d", oid)]))
        mode = "40000"
    top = write_object(repository, "blob", b"top\n")
    oid = write_object(repository, "tree", tree_payload([("100644", b"a.txt", top), ("40000", b"d", oid)]))
    commit_tree(repository, oid)

    _, tree, sources = await cloned(bench, server.url("deep"))

    assert [row.path for row in sources] == ["a.txt"]
    assert [row.skipped for row in tree if row.skipped] == ["too_deep"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"logo.png": b"\x89PNG\0\0", "link": Symlink("x")}, "no_text_files"),
        ({"empty.txt": "", "blank.md": " \n"}, "no_text_files"),
        ({"package-lock.json": "{}"}, "no_text_files"),
        ({}, "repository_empty"),
    ],
)
async def test_a_repository_without_text(server: GitServer, bench: Bench, files: dict[str, object], code: str) -> None:
    build_repository(server.folder / "none.git", [files])  # type: ignore[list-item]  # a table of trees

    with pytest.raises(Permanent) as caught:
        await bench.clone(a_request(Stage.CLONE, server.url("none")), FakeRun())

    assert caught.value.code == code


async def test_metadata_and_structure_read_only_the_artifacts(server: GitServer, bench: Bench) -> None:
    files = {f"src/f{number}.py": f"x = {number}\n" for number in range(1_200)}
    build_repository(
        server.folder / "app.git",
        [
            {
                **files,
                "README.md": "# App\n\nAn app that does a thing.\n",
                "pyproject.toml": '[project]\ndependencies = ["rich"]\n',
                "poetry.lock": '[[package]]\nname = "rich"\nversion = "14.1"\n\n'
                '[[package]]\nname = "mdurl"\nversion = "1"\n',
            }
        ],
    )
    completed, _, _ = await cloned(bench, server.url("app"))
    server.requests.clear()

    def request(stage: Stage) -> Envelope:
        return a_request(stage, server.url("app"), inputs=completed.artifacts)

    metadata = said(await Metadata(bench.backends)(request(Stage.METADATA), FakeRun()), StageCompleted)
    structure = said(await Structure(bench.backends)(request(Stage.STRUCTURE), FakeRun()), StageCompleted)

    [needed] = [ref for ref in metadata.artifacts if ref.kind is ArtifactKind.DEPENDENCIES]
    rows = await bench.backends.rows(DependencyRow, needed)

    kinds = Counter(ref.kind for ref in completed.artifacts)
    assert (kinds["tree"], kinds["locks"]) == (1, 1)
    assert kinds["sources"] >= 3
    assert [(row.name, row.version, row.scope, row.path, row.line) for row in rows] == [
        ("rich", "14.1", "runtime", "pyproject.toml", 2),
        ("rich", "14.1", "runtime", "poetry.lock", 2),
        ("mdurl", "1", "transitive", "poetry.lock", 6),
    ]
    assert metadata.metadata_extracted["readme_found"] is True
    assert metadata.metadata_extracted["dependencies_found"] == 1
    assert metadata.files_processed == 3
    assert structure.facts["files"] == 1_202
    assert structure.counts == {"languages": 3}
    assert server.requests == []


async def test_a_stage_without_its_inputs_is_refused(bench: Bench) -> None:
    with pytest.raises(Permanent) as caught:
        await Structure(bench.backends)(a_request(Stage.STRUCTURE, "http://127.0.0.1/x"), FakeRun())

    assert caught.value.code == "artifact_missing"
    assert inputs_of  # what the jobs order their inputs by


def test_what_a_killed_worker_left_is_swept_at_the_next_start(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from processor.adapters.workspace import open_workspace\n"
        f"with open_workspace(Path({str(tmp_path)!r})).folder_for('clone') as folder:\n"
        "    (folder / 'pack').write_bytes(b'x' * 1000); print(folder, flush=True); time.sleep(60)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    left = Path(worker.stdout.readline().strip())

    from processor.adapters.workspace import open_workspace

    beside = open_workspace(tmp_path)
    assert (left / "pack").exists()  # its worker lives
    worker.kill()
    worker.wait()
    worker.stdout.close()
    after = open_workspace(tmp_path)

    assert not left.parent.exists()
    assert beside.folder.exists()
    for workspace in (beside, after):
        workspace.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # nothing at all
