"""What the limits cost a request: one look at the five rules that a key's request falls under, in Valkey and without.

`python -m bench limits [--looks 5000]` starts its own Valkey, and writes to bench/results/limits.md.
"""

import argparse
import asyncio
import math
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import uvloop
from pydantic import SecretStr

from orchestrator.adapters.rates import Charge, Rates
from orchestrator.limits.rules import Resource, Rule, Subject
from runtime.broker import create_quick_redis
from runtime.embedded.valkey import EmbeddedValkey
from runtime.settings import BrokerSettings

RESULTS = Path(__file__).parent / "results" / "limits.md"
_SUBJECTS = (Subject.KEY, Subject.USER, Subject.TENANT)
_RULES = [Rule(Resource.REQUESTS, subject, 10**9, 60) for subject in _SUBJECTS]
_RULES += [Rule(Resource.BYTES, subject, 10**12, 3_600) for subject in _SUBJECTS[1:]]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench limits")
    parser.add_argument("--looks", type=int, default=5_000)
    looks = parser.parse_args().looks
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-limits-") as folder:
        valkey = EmbeddedValkey(Path(folder) / "valkey")
        try:
            rows = uvloop.run(_measure(valkey.start(), looks, valkey))
        finally:
            valkey.stop()
    report = _report(rows, looks, load)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(report)
    print(report)


async def _measure(url: str, looks: int, valkey: EmbeddedValkey) -> list[tuple[str, float, float, float]]:
    redis = create_quick_redis(BrokerSettings(url=SecretStr(url)))
    rates = Rates(redis)
    rows = [("one after the other", *await _alone(rates, looks)), ("32 at once", *await _together(rates, looks))]
    valkey.kill()
    await rates.take(_charges())
    rows.append(("without Valkey", *await _alone(rates, looks)))
    if not rates.local:
        raise SystemExit("Valkey was killed and the counting did not notice.")
    await redis.aclose()
    return rows


def _charges() -> list[Charge]:
    one = uuid4().hex[:3]  # four thousand people
    return [Charge(rule, one, cost=int(rule.resource is Resource.REQUESTS), owed=0) for rule in _RULES]


async def _alone(rates: Rates, looks: int) -> tuple[float, float, float]:
    """Median and 99th percentile of one look, and the processor's time of this process for it, in milliseconds."""
    times = []
    cpu = time.process_time()
    for _ in range(looks):
        charges = _charges()
        began = time.perf_counter()
        await rates.take(charges)
        times.append((time.perf_counter() - began) * 1_000)
    return (*_quantiles(times), (time.process_time() - cpu) / looks * 1_000)


async def _together(rates: Rates, looks: int) -> tuple[float, float, float]:
    """The same, where many wait at once: here the median is the time that each takes from the others."""
    cpu, began = time.process_time(), time.perf_counter()
    for _ in range(looks // 32):
        await asyncio.gather(*(rates.take(_charges()) for _ in range(32)))
    each = (time.perf_counter() - began) / looks * 1_000
    return each, float("nan"), (time.process_time() - cpu) / looks * 1_000


def _quantiles(times: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def _report(rows: list[tuple[str, float, float, float]], looks: int, load: float) -> str:
    lines = [
        "# What the limits cost a request",
        "",
        f"`python -m bench limits`: {looks:,} looks, each at five rules (requests by key, user and tenant; bytes by",
        f"user and tenant) of one of 4,096 people. {os.cpu_count()} cores, Python {platform.python_version()},",
        f"load {load:.1f} at the start. Of those that wait at once, the time of all is divided by their number.",
        "",
        "| | median ms | p99 ms | processor's ms in the orchestrator |",
        "|---|---|---|---|",
    ]
    for name, median, p99, cpu in rows:
        lines.append(f"| {name} | {median:.3f} | {'' if math.isnan(p99) else f'{p99:.3f}'} | {cpu:.3f} |")
    return "\n".join(lines) + "\n"
