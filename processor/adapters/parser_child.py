"""The process that parses: files in, rows out, one frame each. It may die of any file; its parent goes on.

A frame is four bytes of length (big-endian) and that much JSON; JSON, because what a hostile file made of this process
must not be trusted by its parent. First comes the frame `{"ready": true}`; then for each batch
`[[path, language, file_class, content], …]` on standard input one frame a file, in order, on standard output.
"""

import gc
import json
import os
import resource
import struct
import sys
import time
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from events.artifacts import SourceRow
from processor.adapters.confine import confine
from processor.stages.parse import Parsed, Stop, failed, parse_source

Parse: TypeAlias = Callable[[SourceRow, Stop], Parsed]


def main() -> None:
    """Serve until standard input ends. Arguments: bytes of address space, seconds a file, the parent's process id."""
    memory, seconds, parent = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    confine(memory, parent)
    serve(parse_source, seconds)


def serve(parse: Parse, seconds: float) -> None:
    """Answer batches with `parse` until standard input ends."""
    # The answers' descriptor is kept aside, so that nothing else that writes to standard output can break a frame.
    answers = os.fdopen(os.dup(1), "wb")
    gc.disable()  # trees and matches are many objects without cycles; the process is replaced before leaks could add up
    os.dup2(2, 1)
    _write(answers, {"ready": True})
    while (batch := _read(sys.stdin.buffer)) is not None:
        for path, language, file_class, content in batch:
            source = SourceRow.model_construct(
                path=path, language=language, file_class=file_class, content=content, blob_id="", size=0, lines=0
            )
            _write(answers, _answer(parse, source, seconds))


def _answer(parse: Parse, source: SourceRow, seconds: float) -> dict[str, object]:
    spent = int(time.process_time())
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + 2 * int(seconds + 1), hard))
    deadline = time.monotonic() + seconds
    try:
        parsed = parse(source, lambda: time.monotonic() > deadline)
    except MemoryError:
        parsed = failed(source.path, "parser_memory")
    return {
        "outcome": parsed.outcome,
        "symbols": parsed.symbols,
        "edges": parsed.edges,
        "chunks": parsed.chunks,
    }


def _read(stream: BinaryIO) -> list[list[str]] | None:
    header = stream.read(4)
    if len(header) < 4:
        return None
    (length,) = struct.unpack(">I", header)
    batch: list[list[str]] = json.loads(stream.read(length))
    return batch


def _write(stream: BinaryIO, message: dict[str, object]) -> None:
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    main()
