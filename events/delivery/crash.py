"""Named places at which a fault test ends the process, as a SIGKILL would."""

import os
from contextlib import suppress
from pathlib import Path

POINTS = ("after_claim", "before_effect", "after_effect", "before_append", "after_append", "before_ack")


def crash_point(topic: str, point: str) -> None:
    """End this process at once where `REPOSTREAM_CRASH_AT` is `<stage>:<point>` and names this place.

    The stage is the topic without `stage.`. With `REPOSTREAM_CRASH_MARK=<file>` it happens once: the file says so.
    """
    wanted = os.environ.get("REPOSTREAM_CRASH_AT")
    if wanted is None or wanted != f"{topic.removeprefix('stage.')}:{point}":
        return
    mark = os.environ.get("REPOSTREAM_CRASH_MARK")
    if mark:
        with suppress(FileExistsError):
            Path(mark).touch(exist_ok=False)
            os._exit(137)
        return
    os._exit(137)
