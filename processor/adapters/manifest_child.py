"""The process that reads one large manifest: its text in (standard input), what it says out, as JSON.

The answer is `{"manifest": {…}}`, or `{"not_read": reason}`. Large texts are read here, where memory and processor time
end with the process, and not where other analyses are at work.
"""

import gc
import json
import os
import sys

from pydantic import TypeAdapter

from processor.adapters.confine import confine
from processor.manifests.model import Manifest
from processor.manifests.registry import NotRead, read_manifest


def main() -> None:
    """Read one. Arguments: its path, bytes of address space, seconds of processor time, the parent's process id."""
    path, memory, seconds, parent = sys.argv[1], *map(int, sys.argv[2:5])
    confine(memory, parent, cpu_seconds=seconds)
    gc.disable()  # nodes are many objects without cycles, and the process ends with its answer
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        try:
            manifest = read_manifest(path, sys.stdin.buffer.read().decode("utf-8", "replace"))
            answers.write(b'{"manifest":' + TypeAdapter(Manifest).dump_json(manifest) + b"}")
        except NotRead as reason:
            answers.write(json.dumps({"not_read": str(reason)}).encode())
        except MemoryError:
            answers.write(b'{"not_read": "reading it takes too much memory"}')


if __name__ == "__main__":
    main()
