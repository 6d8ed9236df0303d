"""Ready means that every part of the pump that events need gets on, not only the first of them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from orchestrator.process import Process
from runtime.broker import create_redis
from runtime.database import create_engine
from runtime.objects import open_objects
from runtime.settings import BrokerSettings, DatabaseSettings

_MOVING = {"sequencer": 0.1, "relay": 0.1, "timers": 0.2, "floors": 900.0}


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Its parts, none of which is started or connects."""
    engine = create_engine(DatabaseSettings(url=SecretStr("postgresql://a:b@127.0.0.1:1/c")), application="test")
    redis = create_redis(BrokerSettings(url=SecretStr("redis://127.0.0.1:1/0")))
    return Process(engine, engine, engine, redis, redis, open_objects("", tmp_path))


async def test_a_pump_that_gets_on_is_ready(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.pump, "ages", lambda: _MOVING)

    await process.feed_moves()


@pytest.mark.parametrize("part", ["sequencer", "relay", "timers"])
async def test_a_part_that_is_stuck_or_never_began_is_named(
    process: Process, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    for ages in ({**_MOVING, part: 16.0}, {name: age for name, age in _MOVING.items() if name != part}):
        monkeypatch.setattr(process.pump, "ages", lambda ages=ages: ages)

        with pytest.raises(TimeoutError, match=part):
            await process.feed_moves()
