"""What leaves in a bundle has no secret, as many lines, and is named by what is written."""

from hashlib import sha256

from events.artifacts import ArtifactKind, ArtifactRef, SourceRow, TreeRow
from events.processing import Stage, StageCompleted, StageStarted
from events.replay.bundled import artifacts_of
from events.replay.without_secrets import clean_artifact, clean_history
from runtime.parquet import read_rows, write_rows
from tests.support.analyses import Story, completed, requested

SECRET = "ghp_" + "a1B2" * 5
KEY = "-----BEGIN PRIVATE " + "KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B\n" * 3 + "-----END PRIVATE " + "KEY-----"


def sources(*texts: str) -> tuple[ArtifactRef, bytes]:
    rows = [
        SourceRow(path=f"{n}.py", blob_id="b", language=None, file_class="code", size=len(text), lines=3, content=text)
        for n, text in enumerate(texts)
    ]
    content = write_rows(SourceRow, rows)
    digest = sha256(content).hexdigest()
    key = f"t/sources/{digest}.parquet"
    return ArtifactRef(kind=ArtifactKind.SOURCES, key=key, sha256=digest, rows=len(rows), bytes=len(content)), content


def test_secrets_of_files_are_marked_line_by_line() -> None:
    ref, content = sources(f"a = '{SECRET}'\nb = 2\n", "clean = True\n", f"before\n{KEY}\nafter\n")

    clean, written = clean_artifact(ref, content)

    first, second, third = read_rows(SourceRow, written)
    assert first.content == "a = '[redacted]'\nb = 2\n"
    assert second.content == "clean = True\n"
    assert third.content.splitlines() == ["before", *["[redacted]"] * 5, "after"]
    assert [row.path for row in (first, second, third)] == ["0.py", "1.py", "2.py"]
    assert (clean.sha256, clean.bytes, clean.rows) == (sha256(written).hexdigest(), len(written), 3)
    assert clean.key == f"t/sources/{clean.sha256}.parquet"
    assert clean_artifact(clean, written) == (clean, written)


def test_what_a_file_of_variables_sets_is_known_by_its_path() -> None:
    said = "DB_PASSWORD=hunter22correct\nDEBUG=1\n"
    rows = [
        SourceRow(path=path, blob_id="b", language=None, file_class="config", size=len(said), lines=2, content=said)
        for path in ("deploy/.env", "notes.txt")
    ]
    ref, _ = sources("x = 1\n")

    first, second = read_rows(SourceRow, clean_artifact(ref, write_rows(SourceRow, rows))[1])

    assert first.content == "DB_PASSWORD=[redacted]\nDEBUG=1\n"
    assert second.content == said


def test_what_has_no_secret_is_the_very_same() -> None:
    ref, content = sources("clean = True\n")
    assert clean_artifact(ref, content) == (ref, content)
    tree = ref.model_copy(update={"kind": ArtifactKind.TREE})
    entries = write_rows(TreeRow, [TreeRow(path=SECRET, blob_id="b", mode="100644", size=1)])
    assert clean_artifact(tree, entries) == (tree, entries)  # names of files are places


def test_events_name_what_is_written() -> None:
    ref, content = sources(f"a = '{SECRET}'\n")
    clean, _ = clean_artifact(ref, content)
    history = Story().given(requested(), completed(Stage.CLONE, artifacts=(ref,))).history

    told = clean_history(history, {ref.sha256: clean})

    assert artifacts_of(told) == (clean,)
    assert ref.sha256 in history[-1].model_dump_json()
    assert all(ref.sha256 not in envelope.model_dump_json() for envelope in told)
    done = next(e for e in told if e.event_type == StageCompleted.event_type)
    assert StageCompleted.model_validate(done.data).artifacts == (clean,)
    assert clean_history(history, {}) == [e.model_copy(update={"traceparent": None}) for e in history]


def test_which_worker_was_at_it_stays_here_for_its_name_has_that_of_the_machine() -> None:
    begun = StageStarted.model_validate(
        {
            **completed(Stage.CLONE).model_dump(include={"analysis_id", "run_id", "stage", "shard", "attempt"}),
            "worker": "processor-host-of-mine-7",
        }
    )
    history = Story().given(requested(), begun).history

    told = clean_history(history, {})

    assert [e.data["worker"] for e in told if e.event_type == StageStarted.event_type] == [""]
    assert "host-of-mine" in history[-1].model_dump_json()
    assert all("host-of-mine" not in envelope.model_dump_json() for envelope in told)
