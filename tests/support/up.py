"""Run `repostream up` as a process of its own, and look at what it started."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

ALL = ("orchestrator", "processor", "ai_engine", "rag_manager", "web_ui")


def wait_for(condition: Callable[[], object], seconds: float = 20.0, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.02)


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that run; a zombie waits only to be counted."""
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


class Up:
    """`repostream up` on `home`, with only some of the services."""

    def __init__(self, home: Path, *, services: Sequence[str] = (), **environment: str) -> None:
        self.home = home
        self._command = [sys.executable, "-P", "-m", "cli.app", "up"]
        for name in ALL:
            if name not in services:
                self._command += ["--without", name]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPOSTREAM_")}
        self._environment = {**inherited, "REPOSTREAM_HOME": str(home), **environment}
        self.process: subprocess.Popen[str] | None = None
        self._console = home.parent / f"{home.name}.console"

    @property
    def said(self) -> str:
        """All it printed until now."""
        return self._console.read_text()

    def __enter__(self) -> "Up":
        self.home.parent.mkdir(parents=True, exist_ok=True)
        with self._console.open("w") as console:
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdout=console,
                stderr=console,
                text=True,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def run_to_its_end(self, seconds: float = 180.0) -> tuple[int, str]:
        """For an `up` that must not come up: its exit code and all it said."""
        done = subprocess.run(
            self._command, env=self._environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def wait_ready(self, seconds: float = 180.0) -> dict[str, Any]:
        """The note about the running system."""
        note = self.home / "running.json"

        def is_there() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.said
            return note.exists()

        wait_for(is_there, seconds, "up is ready")
        return dict(json.loads(note.read_text()))

    def family(self) -> list[psutil.Process]:
        """Everything it started, the whole tree."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, sign: str) -> psutil.Process:
        """The one direct child with `sign` in its command line."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        (found,) = [p for p in alive(children) if any(sign in part for part in p.cmdline())]
        return found
