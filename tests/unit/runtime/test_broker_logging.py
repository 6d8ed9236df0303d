"""What FastStream says reaches our log as a line of ours, or not at all."""

import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from runtime.broker import create_broker
from runtime.logging import configure_logging
from runtime.settings import BrokerSettings


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_logging_as_it_was")
async def test_faststream_speaks_json_through_our_redactor_and_not_of_tasks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(service="test", level="INFO")
    broker = create_broker(BrokerSettings(url=SecretStr("redis://127.0.0.1:1/0")))
    broker._setup_logger()
    logger = broker.config.broker_config.logger

    logger.log("callback for Task-7 is being executed...", log_level=logging.INFO)
    logger.log("Task-7 raised at redis://:hunter2@host:1/0", log_level=logging.ERROR)

    captured = capsys.readouterr()
    [line] = captured.err.splitlines()
    assert json.loads(line)["level"] == "error"
    assert "hunter2" not in line
    assert captured.out == ""
