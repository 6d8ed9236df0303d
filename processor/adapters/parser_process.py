"""One parsing process, seen from its parent: start it, send it files, read its answers, end it."""

import asyncio
import contextlib
import json
import os
import signal
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

Job: TypeAlias = tuple[str, str | None, str, str]  # path, language, file class, content
Answer: TypeAlias = dict[str, object]

_MAX_ANSWER = 256 << 20  # bytes; a file of 1 MB answers with about twice its size
_ROOT = Path(__file__).resolve().parents[2]
_OUT_OF_MEMORY = ("MemoryError", "failed to allocate", "Cannot allocate memory", "out of memory")


@dataclass(frozen=True)
class Limits:
    """What one process may use, and when it is replaced. `soft_seconds` ends a parse politely, `seconds` by a kill."""

    memory_bytes: int = 2 << 30
    soft_seconds: float = 8.0
    seconds: float = 10.0
    start_seconds: float = 60.0
    files: int = 2_000
    bytes: int = 64 << 20


class ParserDied(Exception):
    """The process gave no answer. `reason` is `parser_crashed`, `parser_timeout` or `parser_memory`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ParserProcess:
    """A running child. Once it raised ParserDied, or was ended, it is of no more use."""

    def __init__(self, process: asyncio.subprocess.Process, last_words: IO[bytes], limits: Limits) -> None:
        self._process = process
        self._last_words = last_words
        self._limits = limits
        self._files = 0
        self._bytes = 0

    @classmethod
    async def start(cls, entry: str, limits: Limits) -> "ParserProcess":
        """Start `python -m entry` and wait until it is ready. Raises ParserDied."""
        last_words = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", entry, str(limits.memory_bytes), str(limits.soft_seconds), str(os.getpid())),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=last_words,
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"},
                start_new_session=True,
                limit=1 << 20,
            )
        except BaseException:
            last_words.close()
            raise
        child = cls(process, last_words, limits)
        try:
            await child._receive(limits.start_seconds)
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, as far as is known by now."""
        return self._process.returncode is None

    @property
    def worn_out(self) -> bool:
        """Whether it has parsed enough to be replaced: parsers and their bindings leak a little."""
        return self._files >= self._limits.files or self._bytes >= self._limits.bytes

    async def send(self, batch: Sequence[Job]) -> None:
        """Hand over a batch. Raises ParserDied."""
        body = json.dumps(batch, ensure_ascii=False).encode("utf-8", "replace")
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101  a pipe was asked for
        self._files += len(batch)
        self._bytes += len(body)
        try:
            stdin.write(struct.pack(">I", len(body)) + body)
            async with asyncio.timeout(self._limits.seconds):
                await stdin.drain()
        except (OSError, RuntimeError, TimeoutError) as error:  # uvloop's, of a pipe that it has closed
            raise ParserDied(await self._cause_of_death()) from error

    async def answer(self, path: str) -> Answer:
        """The answer for the next file of the batch, which is `path`. Raises ParserDied."""
        answer = await self._receive(self._limits.seconds)
        outcome = answer.get("outcome")
        if not isinstance(outcome, dict) or outcome.get("path") != path:
            raise ParserDied("parser_crashed")
        return answer

    def last_words(self, most: int = 300) -> str:
        """The end of what it wrote to standard error."""
        self._last_words.seek(max(0, self._last_words.seek(0, os.SEEK_END) - most))
        return self._last_words.read().decode("utf-8", "replace")

    async def end(self) -> None:
        """Kill it and wait until it is gone."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._last_words.close()

    async def _receive(self, seconds: float) -> Answer:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101  a pipe was asked for
        try:
            async with asyncio.timeout(seconds):
                (length,) = struct.unpack(">I", await stdout.readexactly(4))
                body = await stdout.readexactly(length) if length <= _MAX_ANSWER else b""
            answer = json.loads(body)
        except TimeoutError as error:
            raise ParserDied("parser_timeout") from error
        except asyncio.IncompleteReadError as error:
            raise ParserDied(await self._cause_of_death()) from error
        except ValueError as error:
            raise ParserDied("parser_crashed") from error
        return answer if isinstance(answer, dict) else {}

    async def _cause_of_death(self) -> str:
        if self._process.returncode is None:
            try:
                async with asyncio.timeout(1.0):
                    await self._process.wait()
            except TimeoutError:
                return "parser_crashed"
        words = self.last_words(4_096)
        if any(sign in words for sign in _OUT_OF_MEMORY):
            return "parser_memory"
        return "parser_timeout" if self._process.returncode == -signal.SIGXCPU else "parser_crashed"
