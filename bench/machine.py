"""How much of the machine a benchmark had, where others work on it too, and how much it took."""

import time
from collections import Counter

import psutil

from bench.memory import process_name


def yardstick() -> float:
    """Millions of additions a second of this process, by the clock: how much of a core there was."""
    began, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number
    return 1 / (time.perf_counter() - began)


def processor_time(pid: int) -> Counter[str]:
    """Seconds until now of the process `pid` and all below it, by what each is; `bench` is the one that asks."""
    spent: Counter[str] = Counter()
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        try:
            times, name = process.cpu_times(), process_name(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        spent[name] += times.user + times.system
    spent["bench"] = time.process_time()
    return spent
