"""The pool of parsing processes: a file that kills its parser fails alone, whatever it does."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
import uvloop

from events.artifacts import ChunkRow, OutcomeRow, SourceRow
from processor.adapters.parser_pool import ParsedShard, ParserPool
from processor.adapters.parser_process import Limits, ParserDied, ParserProcess
from processor.stages.parse import parse_source
from runtime.faults import Cancelled, Transient
from runtime.parquet import read_rows, schema_of, write_rows, write_table
from tests.support.sources import a_source

FAULTY = "tests.support.faulty_parser_child"
QUICK = Limits(soft_seconds=1.0, seconds=2.0)


def good(count: int) -> list[SourceRow]:
    return [a_source(f"pkg/m{n}.py", f"def f{n}():\n    return g{n}()\n") for n in range(count)]


async def parse(pool: ParserPool, rows: list[SourceRow] | pa.Table) -> ParsedShard:
    async def ignore(_done: int, _total: int, _current: str, _share: float) -> None:
        return

    return await pool.parse(rows, on_progress=ignore, cancelled=lambda: False)


def outcomes(shard: ParsedShard) -> dict[str, tuple[str, str | None]]:
    return {row["path"]: (row["outcome"], row["reason"]) for row in shard.outcomes.to_pylist()}


async def test_a_shard_comes_back_in_the_order_of_its_sources_and_equals_what_one_process_says() -> None:
    rows = [*good(150), a_source("notes.txt", "# A\n\ntext\n"), a_source("empty.py", "")]
    async with ParserPool(2) as pool:
        shard = await parse(pool, rows)
        again = await parse(pool, pa.Table.from_pylist([row.model_dump() for row in rows], schema=schema_of(SourceRow)))

    alone = [parse_source(row) for row in rows]
    assert shard.outcomes.to_pylist() == [parsed.outcome for parsed in alone]
    assert shard.symbols.to_pylist() == [row for parsed in alone for row in parsed.symbols]
    assert shard.edges.to_pylist() == [row for parsed in alone for row in parsed.edges]
    assert shard.chunks.to_pylist() == [row for parsed in alone for row in parsed.chunks]
    assert again == shard
    assert shard.counts["parsed"] == 151
    assert shard.counts["lines.no_grammar"] == 1


def test_an_idle_process_that_was_ended_is_followed_by_another_also_on_the_loop_of_the_services() -> None:
    async def killed_between_two_shards() -> tuple[bool, ParsedShard]:
        async with ParserPool(1) as pool:
            await parse(pool, good(1))
            (idle,) = pool._idle
            os.kill(idle.pid, signal.SIGKILL)
            await idle._process.wait()
            shard = await parse(pool, good(3))
            return idle in pool._idle, shard

    is_used, shard = uvloop.run(killed_between_two_shards())

    assert not is_used
    assert outcomes(shard) == {f"pkg/m{n}.py": ("parsed", None) for n in range(3)}


def test_a_process_that_ends_before_it_is_sent_anything_has_died() -> None:
    async def send_to_a_dead_one() -> None:
        child = await ParserProcess.start("processor.adapters.parser_child", Limits())
        os.kill(child.pid, signal.SIGKILL)
        await child._process.wait()
        with pytest.raises(ParserDied, match="parser_crashed"):
            await child.send([("a.py", "python", "code", "a = 1")])
        await child.end()

    uvloop.run(send_to_a_dead_one())


async def test_the_tables_are_what_the_artifacts_want() -> None:
    async with ParserPool(1) as pool:
        shard = await parse(pool, good(3))

    chunks = read_rows(ChunkRow, write_table(shard.chunks))
    assert [chunk.path for chunk in chunks] == ["pkg/m0.py", "pkg/m1.py", "pkg/m2.py"]
    assert write_rows(ChunkRow, chunks) == write_table(shard.chunks)
    assert [row.outcome for row in read_rows(OutcomeRow, write_table(shard.outcomes))] == ["parsed"] * 3


async def test_an_empty_shard_gives_empty_tables() -> None:
    async with ParserPool(1) as pool:
        shard = await parse(pool, [])

    assert shard.counts == {"files": 0, "symbols": 0, "edges": 0, "chunks": 0}
    assert shard.chunks.schema == schema_of(ChunkRow)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("!segfault", "parser_crashed"),
        ("!raise", "parser_crashed"),
        ("!forge 3", "parser_crashed"),
        ("!memory", "parser_memory"),
        ("!abort", "parser_memory"),
        ("!hang", "parser_timeout"),
    ],
)
async def test_a_file_that_kills_its_parser_fails_alone(content: str, reason: str) -> None:
    rows = good(80)
    rows.insert(5, a_source("poison.py", content))
    async with ParserPool(2, QUICK, entry=FAULTY) as pool:
        shard = await parse(pool, rows)

    found = outcomes(shard)
    assert found.pop("poison.py") == ("failed", reason)
    assert set(found.values()) == {("parsed", None)}
    assert len(found) == 80
    assert shard.counts["failed"] == 1
    assert shard.counts[f"failed.{reason}"] == 1
    assert shard.symbols.num_rows == 80


async def test_many_poisons_at_once_leave_every_other_file_parsed() -> None:
    rows = good(40)
    for at in (0, 7, 8, 20, 43):
        rows.insert(at, a_source(f"poison{at}.py", "!segfault"))
    async with ParserPool(2, QUICK, entry=FAULTY) as pool:
        shard = await parse(pool, rows)

    assert shard.counts["failed.parser_crashed"] == 5
    assert shard.counts["parsed"] == 40


async def test_a_process_killed_from_outside_costs_no_file(tmp_path: Path) -> None:
    rows = [*good(10), a_source("innocent.py", f"!kill-once {tmp_path / 'killed'}"), *good(10)]
    async with ParserPool(1, QUICK, entry=FAULTY) as pool:
        shard = await parse(pool, rows)

    assert (tmp_path / "killed").exists()
    assert shard.counts["parsed"] == 21


async def test_what_a_parser_prints_breaks_no_answer() -> None:
    async with ParserPool(1, QUICK, entry=FAULTY) as pool:
        shard = await parse(pool, [a_source("loud.py", "!print"), *good(2)])

    assert shard.counts["parsed"] == 3


async def test_cancelling_ends_the_processes_within_two_seconds() -> None:
    started = time.monotonic()
    pids: list[int] = []
    seen: list[str] = []

    async def note(_done: int, _total: int, current: str, _share: float) -> None:
        seen.append(current)

    async with ParserPool(1, Limits(), entry=FAULTY) as pool:
        begin = ParserProcess.start

        async def remember(entry: str, limits: Limits) -> ParserProcess:
            child = await begin(entry, limits)
            pids.append(child.pid)
            return child

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ParserProcess, "start", remember)
            asked: list[float] = []

            def cancelled() -> bool:
                if pids and "hang.py" in seen and not asked:
                    asked.append(time.monotonic())
                return bool(asked)

            with pytest.raises(Cancelled):
                await pool.parse([a_source("hang.py", "!hang")], on_progress=note, cancelled=cancelled)
        assert time.monotonic() - asked[0] < 2.0
        assert time.monotonic() - started < 30
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        assert (await parse(pool, good(3))).counts["parsed"] == 3


async def test_progress_names_the_file_at_work_and_ends_at_the_total() -> None:
    told: list[tuple[int, int, str, float]] = []

    async def tell(done: int, total: int, current: str, share: float) -> None:
        told.append((done, total, current, share))

    async with ParserPool(1, QUICK, entry=FAULTY) as pool:
        await pool.parse([*good(3), a_source("slow.py", "!hang")], on_progress=tell, cancelled=lambda: False)

    assert (3, 4, "slow.py") in {one[:3] for one in told}
    assert (told[-1][:2], told[-1][3]) == ((4, 4), 1.0)
    assert [share for *_, share in told] == sorted(share for *_, share in told)


async def test_processes_are_replaced_after_so_many_files() -> None:
    async with ParserPool(1, Limits(files=5)) as pool:
        await parse(pool, good(3))
        (first,) = pool._idle
        await parse(pool, good(3))
        with pytest.raises(ProcessLookupError):
            os.kill(first.pid, 0)


async def test_several_shards_share_the_processes() -> None:
    async with ParserPool(2) as pool:
        shards = await asyncio.gather(*(parse(pool, good(n)) for n in (10, 20, 30)))
        assert len(pool._idle) <= 2

    assert [shard.counts["parsed"] for shard in shards] == [10, 20, 30]


async def test_a_child_follows_its_parent_into_death() -> None:
    script = (
        "import asyncio\n"
        "from processor.adapters.parser_process import Limits, ParserDied, ParserProcess\n"
        "async def main():\n"
        f"    child = await ParserProcess.start('{FAULTY}', Limits())\n"
        "    await child.send([('hang.py', 'python', 'code', '!hang')])\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(__file__).parents[2])
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        stdout=asyncio.subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    for _ in range(400):
        if not _running(child):
            return
        await asyncio.sleep(0.1)
    pytest.fail("the child outlived its parent")


def _running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def test_without_any_process_the_stage_is_told_to_come_back() -> None:
    async with ParserPool(1, entry="processor.adapters.no_such_module") as pool:
        with pytest.raises(Transient, match="parser_unavailable"):
            await parse(pool, good(1))


HOSTILE = {
    "open.py": "(a," * 292_000,
    "deep.py": "(" * 300_000 + ")" * 300_000,
    "deep.js": "[" * 300_000 + "]" * 300_000,
    "deep.cpp": "{" * 300_000,
    "deep.rs": "fn f() {" * 60_000,
    "deep.rb": "class A;" * 60_000,
    "deep.java": "class A {" * 60_000 + "}" * 60_000,
    "deep.go": "func(" * 60_000,
    "deep.php": "<?php " + "if(1){" * 80_000,
    "deep.cs": "namespace A {" * 50_000,
    "deep.ts": "<" * 300_000,
    "deep.md": "> " * 200_000 + "\n" + "#" * 100_000,
    "wide.py": "x=1\n" * 200_000,
    "quotes.py": '"""' * 250_000,
    "one_line.js": "a=1;" * 240_000,
    "control.c": "\x01\x02\x7f\ufeff" * 50_000,
}


@pytest.mark.parametrize("path", HOSTILE)
async def test_hostile_files_end_in_an_outcome_and_leave_their_neighbours_alone(path: str) -> None:
    started = time.monotonic()
    async with ParserPool(1, Limits(seconds=6.0, soft_seconds=4.0)) as pool:
        shard = await parse(pool, [*good(2), a_source(path, HOSTILE[path]), *good(2)])

    found = outcomes(shard)
    assert found[path][0] in {"parsed", "lines", "failed"}
    assert shard.counts["files"] == 5
    assert found["pkg/m0.py"] == ("parsed", None)
    assert time.monotonic() - started < 60
