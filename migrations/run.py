"""Bring a database to the newest revision."""

import asyncio
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

_FOLDER = Path(__file__).parent


def upgrade(url: str) -> None:
    """Apply what is missing to the database at `url` (`postgresql://…`); safe to call from several processes at once.

    Blocks, also where an event loop is running in this thread. Raises what PostgreSQL raises.
    """
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = make_url(url).set(drivername="postgresql+asyncpg")
    if _loop_is_running():
        _in_thread(config)
    else:
        command.upgrade(config, "head")


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_thread(config: Config) -> None:
    failure: list[BaseException] = []

    def work() -> None:
        try:
            command.upgrade(config, "head")
        except BaseException as error:  # noqa: BLE001  # carried over to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=work, name="migrations")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
