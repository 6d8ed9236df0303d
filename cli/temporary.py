"""A system for the duration of one command: `up` as a child, without the web page, where none runs yet."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.api import connect
from cli.screen import Screen
from cli.up import configured_home
from runtime.client import ApiError
from runtime.embedded.child import StartError, make_folder, size_of, text_since, tied_to_parent

_START_SECONDS = 300.0  # `up` gives up before and says why
_STOP_SECONDS = 60.0


@contextmanager
def temporary_system(console: Screen) -> Iterator[bool]:
    """Run with a system that answers; yields whether it was started for this. Raises StartError."""
    if _answers():
        yield False
        return
    home = configured_home()
    make_folder(home.logs)
    log = home.logs / "up.log"
    start = size_of(log)
    with _child(log) as child, console.status("starting Repostream …"):
        _wait(child, log, start)
    try:
        yield True
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def _child(log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli.app", "up", "--without", "web_ui", "--any-port"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us; we end it in order
            preexec_fn=tied_to_parent(signal.SIGTERM),  # noqa: PLW1509  # one prctl call, nothing that locks
        )
    try:
        yield child
    except BaseException:
        child.terminate()
        child.wait()
        raise


def _wait(child: "subprocess.Popen[bytes]", log: Path, start: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    home = configured_home()
    while time.monotonic() < deadline:
        if child.poll() is not None:
            said = text_since(log, start).strip().splitlines()
            raise StartError(said[-1] if said else f"Repostream did not start (log: {log}).")
        if home.running() is not None:
            return
        time.sleep(0.05)
    raise StartError(f"Repostream was not ready after {_START_SECONDS:.0f} s (log: {log}).")


def _answers() -> bool:
    try:
        connect().installation_config()
    except ApiError as error:
        return error.problem.code != "orchestrator_unreachable"
    return True
