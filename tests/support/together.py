"""The files of `tests/e2e` share one system: they go to one worker, for each worker would start one of its own."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

_FOLDER = "tests/e2e/"


class Together(LoadFileScheduling):
    """Hands out file by file, and that folder at once."""

    def _split_scope(self, nodeid: str) -> str:
        return _FOLDER if nodeid.startswith(_FOLDER) else str(super()._split_scope(nodeid))


class OneSystem:
    """Has xdist hand out tests like this where they are to be handed out by file."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> Together | None:
        """As xdist asks; `log` is silent unless it is asked to speak."""
        return Together(config, log) if config.getoption("dist") == "loadfile" else None
