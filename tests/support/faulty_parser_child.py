"""A parsing process that does to itself what hostile files may do to a parser, where a file's content says so."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from events.artifacts import SourceRow
from processor.adapters.confine import confine
from processor.adapters.parser_child import serve
from processor.stages.parse import Parsed, Stop, parse_source


def _kill_once(marker: str) -> None:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _abort(_argument: str) -> None:
    os.write(2, b"tree-sitter failed to allocate 123 bytes")
    os.abort()


def _raise(_argument: str) -> None:
    raise RuntimeError("a bug in our own code")


_FAULTS: dict[str, Callable[[str], object]] = {
    "!segfault": lambda _argument: ctypes.string_at(0),
    "!abort": _abort,
    "!kill-once": _kill_once,
    "!hang": lambda _argument: time.sleep(600),
    "!memory": lambda _argument: bytearray(64 << 30),
    "!raise": _raise,
    "!print": lambda _argument: sys.stdout.write("noise on standard output\n"),
    "!forge": lambda descriptor: os.write(int(descriptor), b"\x00\x00\x00\x02{}"),
}


def _parse(source: SourceRow, stop: Stop) -> Parsed:
    command, _, argument = source.content.partition(" ")
    if command in _FAULTS:
        _FAULTS[command](argument)
        sys.stdout.flush()
    return parse_source(source, stop)


if __name__ == "__main__":
    confine(int(sys.argv[1]), int(sys.argv[3]))
    serve(_parse, float(sys.argv[2]))
