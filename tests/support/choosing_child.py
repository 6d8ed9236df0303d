"""Has a generation serve, and is killed when that is written and about to be committed.

The servers' addresses, a folder, the choice as JSON, the name of the model that is wanted.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from events.collection import GenerationChoice
from rag_manager.going_back import GoingBack, Models
from rag_manager.housekeeping import Graces
from rag_manager.rows import choosing
from runtime.faults import Transient
from tests.support.index import an_index

_TRIES = 4
_choose = choosing.choose


async def _choose_and_die(*given: Any, **named: Any) -> bool:
    if await _choose(*given, **named):
        os.kill(os.getpid(), signal.SIGKILL)
    return False


async def main(database: str, redis: str, chroma: str, folder: str, choice: str, wanted: str) -> None:
    choosing.choose = _choose_and_die
    async with an_index(database, redis, Path(folder), chroma) as index:
        going = GoingBack(index.backends, Models(wanted, lambda _name: True), Graces(0.0, 0.0, 0.0))
        for _ in range(_TRIES):  # on a busy machine its vectors take longer to look at than a caller waits
            with contextlib.suppress(Transient):
                await going(GenerationChoice.model_validate_json(choice))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
