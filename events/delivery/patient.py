"""The Redis client that FastStream's subscribers read through: never creates a group, never gives up, never spins.

FastStream creates groups at "now", ends the process on NOGROUP, and restarts a failing read without a pause. Here a
read that fails waits and answers "nothing new": the relay will rebuild the stream and its groups from the floor.
A read also takes over what dead workers left behind, as `XREADGROUP … CLAIM` does on servers that have it.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from faststream.redis.configs.state import ConnectionState
from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.delivery.packed import read_packed
from events.delivery.reclaim import Claimed, reclaim_one

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds
_ANSWER_SECONDS = 5.0  # on top of the time that a read blocks: after that the connection is given up
_RECLAIM_EVERY = 0.5  # seconds, per reader
_GROUP_SECONDS = 10.0  # at a first start, the relay makes the groups within a moment: no reason to warn anybody
_MANY = 50  # entries a read; from here on they are read in one piece

Streams = list[tuple[bytes, list[Any]]]


@dataclass
class _Reader:
    """What is remembered of one (stream, group, consumer)."""

    pause: float = 0.0
    look_at: float = 0.0
    began: float | None = None
    has_read: bool = False
    last_error: str = ""


@dataclass
class Gate:
    """Closed, no reader begins another read."""

    is_open: bool = True
    reading: int = 0
    readers: dict[tuple[str, str, str], _Reader] = field(default_factory=dict)


class PatientRedis(Redis):
    """See the module. Only what FastStream's stream subscribers call is changed."""

    gate: Gate

    async def ping(self, **_options: Any) -> bool:  # noqa: ANN401  # as redis-py has it
        """No, without asking: FastStream gives up a start that a silent server keeps waiting for three seconds.

        It then takes the first read, which comes back at once, for the sign that reading has begun.
        """
        return False

    async def xgroup_create(self, *_args: Any, **_options: Any) -> bool:  # noqa: ANN401  # as redis-py has it
        """Nothing: the relay creates groups, at an explicit place."""
        return True

    async def xreadgroup(  # type: ignore[override]  # noqa: PLR0913, PLR0917  # redis-py's arguments, FastStream's reply
        self,
        groupname: str,
        consumername: str,
        streams: dict[str, str],
        count: int | None = None,
        block: int | None = None,
        noack: bool = False,
        claim_min_idle_time: int | None = None,
        **_options: Any,  # noqa: ANN401  # newer options of redis-py, not used
    ) -> Streams:
        """Entries as `XREADGROUP … CLAIM` gives them. Never raises a connection's or the server's error."""
        [stream] = streams
        reader = self.gate.readers.setdefault((stream, groupname, consumername), _Reader())
        if reader.began is None:  # at once, so that starting does not depend on the server
            reader.began = time.monotonic()
            return []
        if not self.gate.is_open:
            await asyncio.sleep(_FIRST_PAUSE)
            return []
        self.gate.reading += 1
        try:
            async with asyncio.timeout((block or 0) / 1_000 + _ANSWER_SECONDS):
                entries = await self._read(reader, stream, groupname, consumername, count, block, claim_min_idle_time)
        except (RedisError, OSError, TimeoutError) as error:
            await self._rest(reader, stream, error)
            return []
        finally:
            self.gate.reading -= 1
        reader.pause, reader.last_error, reader.has_read = 0.0, "", True
        return [(stream.encode(), entries)] if entries else []

    async def _read(  # noqa: PLR0913, PLR0917  # the arguments of one Redis command
        self,
        reader: _Reader,
        stream: str,
        group: str,
        name: str,
        count: int | None,
        block: int | None,
        idle_ms: int | None,
    ) -> list[Claimed]:
        now = time.monotonic()
        if idle_ms is not None and now >= reader.look_at:
            claimed = await reclaim_one(self, stream, group, name, idle_ms)
            if claimed is not None:
                return [claimed]
            reader.look_at = now + min(_RECLAIM_EVERY, idle_ms / 4_000)
        if count is not None and count >= _MANY:
            packed = await read_packed(self, stream, group, name, count)
            if packed:
                return packed
        replies: Any = await super().xreadgroup(group, name, {stream: ">"}, count=count, block=block)
        return [(entry_id, fields, 0, 0) for _, entries in replies for entry_id, fields in entries]

    async def _rest(self, reader: _Reader, stream: str, error: BaseException) -> None:
        reader.pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, reader.pause * 2))
        if _is_first_wait(reader, error):
            logger.debug("%s has no group yet", stream)
        elif str(error) != reader.last_error:
            logger.warning("%s cannot be read, trying again: %s", stream, error or type(error).__name__)
            reader.last_error = str(error)
        await asyncio.sleep(reader.pause)


def _is_first_wait(reader: _Reader, error: BaseException) -> bool:
    """Whether the reader only waits for the relay to make its group for the first time."""
    is_young = reader.began is not None and time.monotonic() - reader.began < _GROUP_SECONDS
    return is_young and not reader.has_read and str(error).startswith("NOGROUP")


class PatientConnection(ConnectionState["PatientRedis"]):
    """A broker's connection whose client is patient. The pool and its options stay the broker's own."""

    def __init__(self, connection: ConnectionState[Any], gate: Gate) -> None:
        super().__init__()
        self._connection = connection
        self._gate = gate

    async def connect(self) -> PatientRedis:
        """As the broker's own connection."""
        client = await self._connection.connect()
        patient = PatientRedis(connection_pool=client.connection_pool)
        patient.gate = self._gate
        self._client, self._connected = patient, True
        return patient

    async def disconnect(self) -> None:
        """As the broker's own connection."""
        await super().disconnect()
        await self._connection.disconnect()
