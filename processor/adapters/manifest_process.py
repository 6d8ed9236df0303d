"""Large manifests and lock files, read in a process of their own whose memory and time are limited."""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from processor.manifests.model import Manifest
from processor.manifests.registry import NotRead
from processor.ports import Watch

_ROOT = Path(__file__).resolve().parents[2]
_ENTRY = "processor.adapters.manifest_child"
_LOOK_SECONDS = 0.2
_READ = 1 << 18


@dataclass(frozen=True)
class ManifestLimits:
    """Of the process that reads one. `answer_bytes` is what it may say."""

    memory_bytes: int = 1 << 30
    seconds: int = 60
    answer_bytes: int = 64 << 20


@dataclass(frozen=True)
class _Answer:
    manifest: Manifest | None = None
    not_read: str = ""


_ANSWER = TypeAdapter(_Answer)


def read_apart(path: str, content: str, watch: Watch, limits: ManifestLimits | None = None) -> Manifest:
    """As `registry.read_manifest`, in a process of its own. Blocking. Raises NotRead, and Cancelled."""
    limits = limits or ManifestLimits()
    with tempfile.TemporaryFile() as text, tempfile.TemporaryFile() as words:
        text.write(content.encode("utf-8", "replace"))
        text.seek(0)
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", _ENTRY, path, str(limits.memory_bytes), str(limits.seconds), str(os.getpid())],
            stdin=text,
            stdout=subprocess.PIPE,
            stderr=words,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"},
            start_new_session=True,
        )
        try:
            body = b"".join(_pieces(process, watch, limits))
            status = process.wait()
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    return _understood(body, status)


def _pieces(process: "subprocess.Popen[bytes]", watch: Watch, limits: ManifestLimits) -> Iterator[bytes]:
    """What the process says, to its end. Raises NotRead where that takes too long or is too much."""
    stdout, until, size = process.stdout, time.monotonic() + limits.seconds, 0
    assert stdout is not None  # noqa: S101  # a pipe was asked for
    while True:
        watch.check()
        if time.monotonic() > until:
            raise NotRead(_TOO_LONG)
        if select.select([stdout], [], [], _LOOK_SECONDS)[0]:
            piece = os.read(stdout.fileno(), _READ)
            size += len(piece)
            if size > limits.answer_bytes:
                raise NotRead("it says too much")
            if not piece:
                return
            yield piece


_TOO_LONG = "reading it takes too long"


def _understood(body: bytes, status: int) -> Manifest:
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise NotRead(_TOO_LONG)
    try:
        answer = _ANSWER.validate_json(body)
    except ValidationError:
        raise NotRead("the process that read it ended unexpectedly") from None
    if answer.manifest is None:
        raise NotRead(answer.not_read)
    return answer.manifest
