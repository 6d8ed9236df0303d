"""Bring a database to the newest revision."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from migrations.holders import who_holds

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE = 60.0  # seconds in all
_LOCK_TIMEOUT = 3.0  # seconds that a revision waits for a lock, and everybody else behind it
_PAUSE = 2.0  # seconds, for those who stood behind it
_FOLDER = Path(__file__).parent
_BLOCKED = ("55P03", "40P01")  # SQLSTATE: no lock in time; a deadlock was broken


class UpgradeBlocked(Exception):
    """Somebody holds what a revision changes. What was applied before it stays."""


def upgrade(url: str, *, to: str = "head", patience: float = PATIENCE) -> None:
    """Apply what is missing to the database at `url` (`postgresql://…`); safe to call from several processes at once.

    Each revision is one transaction, tried again for `patience` seconds where others hold what it changes. An upgrade
    that was interrupted goes on behind the last revision that was applied.

    Blocks, also where an event loop is running in this thread. Raises UpgradeBlocked, and what PostgreSQL raises.
    """
    config = _configured(url)
    give_up = time.monotonic() + patience
    while True:
        try:
            return _away_from_here(lambda: command.upgrade(config, to))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _BLOCKED:
                raise
            reason = _away_from_here(lambda: asyncio.run(who_holds(url)))
            if time.monotonic() >= give_up:
                raise UpgradeBlocked(f"{reason} End it or let it end, and start again.") from error
        logger.warning("%s The upgrade tries again.", reason)
        time.sleep(_PAUSE)


def downgrade(url: str, *, to: str) -> None:
    """Take back what came after the revision `to`, for a release that is older. Nothing else may use the database.

    Blocks, also where an event loop is running in this thread. Raises what PostgreSQL raises.
    """
    config = _configured(url)
    _away_from_here(lambda: command.downgrade(config, to))


def _configured(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = make_url(url).set(drivername="postgresql+asyncpg")
    config.attributes["lock_timeout"] = _LOCK_TIMEOUT
    return config


def _away_from_here(work: Callable[[], T]) -> T:
    """Run it in a thread of its own, where no event loop runs."""
    with ThreadPoolExecutor(1, thread_name_prefix="migrations") as thread:
        return thread.submit(work).result()
