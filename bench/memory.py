"""What a running installation takes of the machine's memory, sampled while it works."""

import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psutil

_MB = 1 << 20


@dataclass
class MemoryWatch:
    """Samples the process `pid` and all below it while it is entered.

    `largest` is the highest resident size of each process, in MB, by what it is; `together` the highest sum of
    proportional sizes, in which memory that several processes share counts once.
    """

    pid: int
    pause: float = 1.0
    largest: dict[str, float] = field(default_factory=dict)
    together: float = 0.0

    def __enter__(self) -> Self:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(self.pause):
            self._sample()

    def _sample(self) -> None:
        root, total = psutil.Process(self.pid), 0.0
        for process in [root, *root.children(recursive=True)]:
            try:
                memory, what = process.memory_full_info(), process_name(process.cmdline())
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            total += memory.pss / _MB
            self.largest[what] = max(self.largest.get(what, 0.0), memory.rss / _MB)
        self.together = max(self.together, total)


def process_name(command: list[str]) -> str:
    """`processor`, `postgres`, `chroma` …: what a process is, by its command line."""
    if "cli.child" in command:
        return command[command.index("cli.child") + 1]
    line = " ".join(command)
    names = ("postgres", "valkey", "chroma", "git", "parser", "forkserver", "multiprocessing", "repostream")
    return next((name for name in names if name in line), line[:40] or "unnamed")
