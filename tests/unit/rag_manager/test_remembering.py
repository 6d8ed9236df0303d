"""Things kept in memory: bounded in number and time, made once however many ask."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from rag_manager.remembering import Remembered


class Maker:
    """Makes the next number each time; waits for `ready`, and fails where it is told to."""

    def __init__(self) -> None:
        self.made = 0
        self.ready = asyncio.Event()
        self.ready.set()
        self.fails = False

    async def __call__(self) -> int:
        self.made += 1
        number = self.made
        await self.ready.wait()
        if self.fails:
            raise ValueError("told to")
        return number


def looked(outcome: str, name: str) -> float:
    return REGISTRY.get_sample_value("repostream_cache_lookups_total", {"cache": name, "outcome": outcome}) or 0.0


async def test_what_was_made_is_kept_for_its_time_and_counted() -> None:
    now, make = [0.0], Maker()
    kept = Remembered[str, int]("counted", most=5, seconds=10, clock=lambda: now[0])

    first, again = await kept.get("a", make), await kept.get("a", make)
    now[0] = 10.5
    late = await kept.get("a", make)

    assert (first, again, late) == (1, 1, 2)
    assert (looked("hit", "counted"), looked("miss", "counted")) == (1, 2)


async def test_many_who_ask_at_once_wait_for_one_and_one_who_gives_up_takes_it_from_nobody() -> None:
    make = Maker()
    make.ready.clear()
    kept = Remembered[str, int]("shared", most=5, seconds=10)
    asking = [asyncio.create_task(kept.get("a", make)) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.sleep(0)
    make.ready.set()

    assert await asyncio.gather(*asking[1:]) == [1] * 19
    assert (make.made, looked("shared", "shared")) == (1, 19)


async def test_a_failure_is_everybodys_and_not_kept() -> None:
    make = Maker()
    make.fails = True
    kept = Remembered[str, int]("failing", most=5, seconds=10)

    failed = await asyncio.gather(kept.get("a", make), kept.get("a", make), return_exceptions=True)
    make.fails = False

    assert [type(each) for each in failed] == [ValueError, ValueError]
    assert await kept.get("a", make) == 2


async def test_the_least_recently_asked_for_goes_first_and_some_are_never_kept() -> None:
    make = Maker()
    kept = Remembered[str, int]("bounded", most=2, seconds=10)
    for key in ("a", "b", "a", "c"):
        await kept.get(key, make)

    assert await kept.get("a", make) == 1
    assert await kept.get("b", make) == 4
    await kept.get("never", make, keeps=lambda _: False)
    assert await kept.get("never", make) == 6


async def test_what_is_gone_is_let_go_of() -> None:
    make = Maker()
    now = [100.0]
    kept = Remembered[str, int]("gone", most=5, seconds=10, clock=lambda: now[0])
    await kept.get("a", make)
    await kept.get("b", make)

    kept.forget(lambda key: key == "a")

    assert (await kept.get("a", make), await kept.get("b", make)) == (3, 2)
    now[0] += 10
    kept.forget(lambda _: False)
    assert (len(kept), kept.keys) == (0, frozenset())


@pytest.mark.filterwarnings("error")
async def test_a_failure_that_nobody_waits_for_any_more_is_not_complained_about() -> None:
    make = Maker()
    make.fails = True
    make.ready.clear()
    kept = Remembered[str, int]("left", most=5, seconds=10)
    asking = asyncio.create_task(kept.get("a", make))
    await asyncio.sleep(0)
    asking.cancel()
    make.ready.set()
    await asyncio.sleep(0.01)

    assert asking.cancelled()
