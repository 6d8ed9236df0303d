"""Become git: with limits, with nothing inherited, and gone when the worker is gone.

Run as a script (`python -I -S git_launch.py <json> git …`) between GitPython and git, because `Git.execute` always adds
the whole environment of this process, and because setting limits in a forked child of a threaded process is unsafe.
Standard library only; the process is replaced by git, so its id and its process group are git's.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, see prctl(2)
_LIMITS = {"file_bytes": resource.RLIMIT_FSIZE, "memory_bytes": resource.RLIMIT_AS, "cpu_seconds": resource.RLIMIT_CPU}


def main(order: str, argv: list[str]) -> None:
    """Apply `order` (`parent`, `keep`: names of variables, `limits`) and replace this process by `argv`."""
    read = json.loads(order)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != read["parent"]:
            sys.exit(1)  # the worker ended before the line above
    for name, value in read["limits"].items():
        _limit(_LIMITS[name], value)
    environment = {name: os.environ[name] for name in read["keep"]}
    os.execvpe(argv[0], argv, environment)  # noqa: S606  # replaces this process; no shell


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError):  # macOS knows some of the limits but refuses to set them
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
