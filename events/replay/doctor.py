"""Proves that the log, the transport and the books of the consumers fit together. Looks only; changes nothing."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from events.catalog import CONSUMERS
from events.delivery.dead_letters import DeadLetter, listed
from events.delivery.reconciler import forgotten

_SHOWN = 5  # dead letters by name
_PAGE = 1_000

_BROKEN_STREAMS = text("""
SELECT s.stream_id FROM es.streams s
LEFT JOIN (SELECT stream_id, count(*) AS n, min(version) AS low, max(version) AS high FROM es.events GROUP BY 1) e
  USING (stream_id)
WHERE s.archived_at IS NULL AND (e.n IS DISTINCT FROM s.version OR e.low <> 1 OR e.high <> s.version)
LIMIT 10
""")
_FEED = text("""
SELECT h.seq AS head, coalesce(f.n, 0) AS n, coalesce(f.low, 1) AS low, coalesce(f.high, 0) AS high
FROM es.feed_head h CROSS JOIN (SELECT count(*) AS n, min(seq) AS low, max(seq) AS high FROM es.feed) f
""")
_UNPLACED = text("""
SELECT count(*) FROM es.events e
WHERE NOT EXISTS (SELECT FROM es.feed f WHERE f.position = e.position)
  AND NOT EXISTS (SELECT FROM es.outbox o WHERE o.position = e.position)
""")
_OUTBOX = text("""
SELECT count(*) AS n, coalesce(extract(epoch FROM clock_timestamp() - min(e.recorded_at)), 0)::float AS age
FROM es.outbox o JOIN es.events e USING (position)
""")
_TOPIC_FLOOR = text("SELECT coalesce(min(floor_seq), 0) FROM es.consumers WHERE topic = :topic")
_TOPIC_FEED = text("SELECT seq FROM es.feed WHERE topic = :topic AND seq > :after ORDER BY seq")


_RESTORE = "Rows of the log are missing or were changed: restore the database from a backup."
_COMES_BACK = "It is brought back by itself within minutes where its service and an orchestrator run: see their logs."
# What to do, by what a finding is of; docs/operating.md has the same at length.
_TODO = {
    "versions dense": _RESTORE,
    "feed dense": _RESTORE,
    "nothing unplaced": _RESTORE,
    "outbox young": "An orchestrator places them: see that one runs, and its log.",
    "transport": "An orchestrator puts it right within minutes: see that one runs, and its log.",
    "pending": _COMES_BACK,
    "inbox": _COMES_BACK,
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what must hold, whether it does, what was seen, what to do where it does not."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Limits:
    """What is still healthy while work goes on, in seconds. `lease` is how long a worker may be silent."""

    lease: float = 15.0
    outbox_age: float = 5.0
    forgotten_after: float = 60.0
    check: float = 60.0  # for each of the four checks
    relay_behind: int = 1_000


async def examine(
    engine: AsyncEngine,
    redis: Redis,
    *,
    consumers: Mapping[str, Sequence[str]] = CONSUMERS,
    limits: Limits | None = None,
) -> list[Finding]:
    """Every finding, good ones too. A server that is away is a finding, not an error."""
    limits = limits or Limits()
    checks: list[tuple[str, Callable[[], Coroutine[Any, Any, list[Finding]]]]] = [
        ("log", lambda: _log(engine, limits)),
        ("transport", lambda: _transport(engine, redis, consumers, limits)),
        ("pending", lambda: _pending(redis, consumers, limits)),
        ("inbox", lambda: _inbox(engine, redis, consumers, limits)),
    ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            async with asyncio.timeout(limits.check):
                findings += [_with_todo(finding) for finding in await check()]
        except TimeoutError:
            todo = "Try again when less is going on."
            findings.append(Finding(name, ok=False, detail=f"not examined within {limits.check:g} s. {todo}"))
        except Exception as error:  # noqa: BLE001  # whatever keeps a check from its answer is the answer
            seen = f"cannot be examined: {type(error).__name__}: {error}"
            findings.append(Finding(name, ok=False, detail=f"{seen}. See that PostgreSQL and Valkey answer."))
    return findings


def _with_todo(finding: Finding) -> Finding:
    """A finding, which says what to do where something is wrong."""
    todo = _TODO.get(finding.name) or _TODO.get(finding.name.partition(" of ")[0], "")
    return finding if finding.ok or not todo else replace(finding, detail=f"{finding.detail}. {todo}")


async def _log(engine: AsyncEngine, limits: Limits) -> list[Finding]:
    async with engine.connect() as connection:
        broken = list((await connection.execute(_BROKEN_STREAMS)).scalars())
        feed = (await connection.execute(_FEED)).one()
        unplaced: int = (await connection.execute(_UNPLACED)).scalar_one()
        outbox = (await connection.execute(_OUTBOX)).one()
        letters = await listed(connection)
    is_dense = feed.low == 1 and feed.n == feed.high == feed.head
    return [
        Finding("versions dense", not broken, f"broken: {', '.join(broken)}" if broken else "every stream is 1..n"),
        Finding("feed dense", is_dense, f"{feed.n} rows, {feed.low}..{feed.high}, head {feed.head}"),
        Finding("nothing unplaced", unplaced == 0, f"{unplaced} events are neither in the feed nor in the outbox"),
        Finding("outbox young", outbox.age <= limits.outbox_age, f"{outbox.n} waiting, the oldest {outbox.age:.1f} s"),
        Finding("no dead letters", not letters, _waiting(letters)),
    ]


def _waiting(letters: Sequence[DeadLetter]) -> str:
    """What waits, and how to go on."""
    if not letters:
        return "nothing waits for a person"
    shown = "; ".join(
        f"{each.event_type or 'what is no event of ours'} of {each.stream_id or each.topic} at {each.consumer}:"
        f" `repostream letters show {each.letter_id}`"
        for each in letters[:_SHOWN]
    )
    return f"{len(letters)} wait for a person: {shown}" + ("; …" if len(letters) > _SHOWN else "")


async def _transport(
    engine: AsyncEngine, redis: Redis, consumers: Mapping[str, Sequence[str]], limits: Limits
) -> list[Finding]:
    findings = []
    for topic in consumers:
        relayed = await _relayed(redis, topic)
        async with engine.connect() as connection:
            findings.append(await _compare(connection, topic, relayed, limits))
    return findings


async def _relayed(redis: Redis, topic: str) -> list[int]:
    """The places of all entries of a stream, in order."""
    places: list[int] = []
    after = "-"
    while page := await redis.xrange(topic, after, "+", _PAGE):
        ids = [_text(entry_id) for entry_id, _ in page]
        places += [int(entry_id.partition("-")[2]) for entry_id in ids]
        after = f"({ids[-1]}"
    return places


async def _compare(connection: AsyncConnection, topic: str, relayed: Sequence[int], limits: Limits) -> Finding:
    """The stream must be a piece of the topic's feed without gaps, from the floor or below, to (nearly) the end."""
    floor: int = (await connection.execute(_TOPIC_FLOOR, {"topic": topic})).scalar_one()
    after = min(relayed[0] - 1, floor) if relayed else floor
    feed = list((await connection.execute(_TOPIC_FEED, {"topic": topic, "after": after})).scalars())
    expected = [seq for seq in feed if seq >= (relayed[0] if relayed else floor + 1)]
    missing_first = [seq for seq in feed if floor < seq < relayed[0]] if relayed else []
    is_piece = list(relayed) == expected[: len(relayed)] and not missing_first
    behind = len(expected) - len(relayed)
    detail = f"{len(relayed)} entries, {behind} behind" if is_piece else "the stream is not a piece of the feed"
    return Finding(f"transport of {topic}", is_piece and behind <= limits.relay_behind, detail)


async def _pending(redis: Redis, consumers: Mapping[str, Sequence[str]], limits: Limits) -> list[Finding]:
    """No entry may be held for longer than three leases: a heartbeat or a reclaim would have touched it."""
    findings = []
    for topic, groups in consumers.items():
        for group in groups:
            try:
                old = await redis.xpending_range(topic, group, "-", "+", 10, idle=round(limits.lease * 3_000))
            except ResponseError as error:
                findings.append(Finding(f"pending of {group}", ok=False, detail=str(error)))
            else:
                held = ", ".join(_text(entry["message_id"]) for entry in old)
                findings.append(Finding(f"pending of {group}", not old, f"forgotten: {held}" if old else "none is old"))
    return findings


async def _inbox(
    engine: AsyncEngine, redis: Redis, consumers: Mapping[str, Sequence[str]], limits: Limits
) -> list[Finding]:
    findings = []
    for topic, groups in consumers.items():
        for group in groups:
            entries = await forgotten(engine, redis, topic, group, older_than=limits.forgotten_after)
            detail = f"never handled: {', '.join(entries[:10])}" if entries else "all done, waiting or under way"
            findings.append(Finding(f"inbox of {group}", not entries, detail))
    return findings


def _text(raw: object) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)
