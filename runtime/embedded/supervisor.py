"""Keeps processes running: brings back what died, says so, and keeps the logs small.

One thread, no event loop: a child is tied to the thread that started it, and there is little to wait for.
"""

import contextlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.embedded.child import StartError, size_of
from runtime.embedded.process import Managed

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0  # seconds before a start is tried again, doubling
_DOUBLINGS = 8  # more than it takes to the longest; without an end the number would outgrow a float in a night
_STEADY = 60.0  # seconds after which earlier failures are forgotten
_SILENT = 120.0  # seconds a process may run without ever being ready before it is started anew
_PROBE = 0.25  # seconds between two questions to one that is not ready yet
_LOG_BYTES = 10_000_000
_LOG_INTERVAL = 10.0


@dataclass
class _Watch:
    process: Managed
    began: float = 0.0
    ready: bool = False
    failures: int = 0
    next_start: float = 0.0
    next_probe: float = 0.0
    was_ready: bool = field(default=False)


class Supervisor:
    """Watches `processes`; `say` is told each change in one sentence. Call `tick` often."""

    def __init__(self, processes: Sequence[Managed], say: Callable[[str], None]) -> None:
        self._watches = [_Watch(process) for process in processes]
        self._say = say
        self._next_rotation = 0.0

    def begin(self) -> None:
        """Take over processes that were started already; start the others."""
        for watch in self._watches:
            watch.began = time.monotonic()
            watch.process.spawn()

    @property
    def waiting_for(self) -> list[str]:
        """The names of those that are not ready."""
        return [watch.process.name for watch in self._watches if not watch.ready]

    def failing(self, times: int) -> Managed | None:
        """One that failed that many times without ever having been ready."""
        hopeless = (w.process for w in self._watches if not w.was_ready and w.failures >= times)
        return next(hopeless, None)

    def tick(self) -> None:
        """Look at each process once: notice its end, start it when its pause is over, notice that it is ready."""
        now = time.monotonic()
        for watch in self._watches:
            if watch.process.running:
                self._look_at_running(watch, now)
            else:
                self._look_at_ended(watch, now)
        if now >= self._next_rotation:
            self._next_rotation = now + _LOG_INTERVAL
            for watch in self._watches:
                rotate(watch.process.log)

    def _look_at_running(self, watch: _Watch, now: float) -> None:
        if watch.ready:
            if watch.failures and now - watch.began > _STEADY:
                watch.failures = 0
            return
        if now < watch.next_probe:
            return
        watch.next_probe = now + _PROBE
        if watch.process.answers():
            watch.ready = True
            if watch.was_ready:
                self._say(f"{watch.process.name} is back.")
            watch.was_ready = True
        elif now - watch.began > _SILENT:
            self._say(f"{watch.process.name} has not become ready for {_SILENT:.0f} s.")
            watch.process.kill()

    def _look_at_ended(self, watch: _Watch, now: float) -> None:
        if watch.next_start == 0.0:
            pause = min(_FIRST_PAUSE * 2 ** min(watch.failures, _DOUBLINGS), _LONGEST_PAUSE)
            watch.failures += 1
            watch.ready = False
            watch.next_start = now + pause
            ending = watch.process.ending or "is not running"
            self._say(f"{watch.process.name} {ending}; starting it again in {pause:g} s (log: {watch.process.log}).")
        elif now >= watch.next_start:
            watch.next_start, watch.next_probe, watch.began = 0.0, 0.0, now
            try:
                watch.process.spawn()
            except StartError as error:
                self._say(str(error))


def stop_in_order(groups: Sequence[Sequence[Managed]], timeout: float) -> None:
    """Stop each group, its members together, before the next; whoever takes longer than `timeout` is killed."""
    for group in groups:
        deadline = time.monotonic() + timeout
        for process in group:
            process.ask_to_stop()
        for process in group:
            process.wait_stopped(max(0.1, deadline - time.monotonic()))


def rotate(log: Path, most: int = _LOG_BYTES) -> None:
    """Where `log` has grown past `most` bytes, keep it as `<log>.1` and empty it; its writers append and go on."""
    if size_of(log) <= most:
        return
    with contextlib.suppress(OSError):  # a full disk: the copy fails, and emptying is the better half
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with contextlib.suppress(OSError), log.open("r+b") as file:
        file.truncate(0)
