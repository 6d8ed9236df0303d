"""What is recorded of a request, what never is, and how the chain shows a change."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from orchestrator.audit.chain import START, first_broken, hash_of
from orchestrator.audit.entry import Entry, Outcome, clean, created_by, target_of
from orchestrator.audit.repeats import Repeats
from orchestrator.audit.rules import is_recorded, outcome_of
from orchestrator.audit.trail import Backlog, NotRecorded, Trail
from orchestrator.auth.identity import ADMIN, READ

ID = "0b0e7f9e-7e6e-4a52-9b5c-2f6f5d1c7a10"
AT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


def an_entry(**changes: Any) -> Entry:
    return replace(Entry(entry_id=uuid4(), at=AT, action="analyses.begin", outcome=Outcome.REFUSED), **changes)


@pytest.mark.parametrize(
    ("method", "status", "route", "recorded"),
    [
        ("POST", 202, "begin", True),
        ("POST", 422, "begin", True),
        ("DELETE", 500, "remove", True),
        ("POST", None, "begin", True),
        ("POST", 403, None, True),  # the guard refused it before a route was found
        ("GET", 200, "newest", False),
        ("GET", 401, "newest", True),
        ("GET", 403, "newest", True),
        ("GET", 429, "newest", True),
        ("GET", 404, "one", True),
        ("GET", 404, None, False),
        ("POST", 404, None, False),
        ("POST", 405, "newest", False),
        ("GET", 200, "export_account", True),
        ("GET", 500, "newest", False),
    ],
)
def test_changes_and_refusals_are_recorded_and_ordinary_reads_are_not(
    method: str, status: int | None, route: str | None, recorded: bool
) -> None:
    assert is_recorded(method, status, route=route, known=True, sensitive=False, scopes=[READ]) is recorded


def test_a_missing_thing_is_recorded_only_of_somebody_known() -> None:
    assert not is_recorded("GET", 404, route="one", known=False, sensitive=False, scopes=[READ])


def test_reads_of_administrators_and_sensitive_ones_are_recorded() -> None:
    assert is_recorded("GET", 200, route="members", known=True, sensitive=False, scopes=[ADMIN])
    assert is_recorded("GET", 200, route="search", known=True, sensitive=True, scopes=[READ])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "allowed"), (303, "allowed"), (401, "refused"), (429, "refused"), (422, "failed"), (None, "failed")],
)
def test_an_outcome_follows_from_the_status(status: int | None, outcome: str) -> None:
    assert outcome_of(status) == outcome


@pytest.mark.parametrize(
    ("path", "parameters", "target"),
    [
        ("/analyses/{analysis_id}/cancel", {"analysis_id": UUID(ID)}, f"analyses/{ID}"),
        ("/webhooks/{a}/deliveries/{b}/redeliver", {"a": ID, "b": ID}, f"webhooks/{ID}/deliveries/{ID}"),
        ("/api/v1/links/{secret}", {"secret": "s3cr3t-of-a-link"}, "links/…"),
        ("/files/{path:path}", {"path": "../../etc/passwd"}, "files/…"),
        ("/analyses", {}, ""),
        ("", {}, ""),
    ],
)
def test_a_target_holds_ids_and_no_other_text(path: str, parameters: dict[str, object], target: str) -> None:
    assert target_of(path, parameters) == target


def test_what_was_made_is_read_off_the_location_unless_that_leads_elsewhere() -> None:
    assert created_by(f"/api/v1/analyses/{ID}") == f"analyses/{ID}"
    assert created_by("https://github.com/login/oauth/authorize?state=secret") == ""
    assert created_by(None) == ""


def test_a_clients_words_are_cut_and_hold_no_control_characters() -> None:
    assert clean("curl\x1b[31m\x00\ud800") == "curl\ufffd[31m\ufffd\ufffd"
    assert len(clean("x" * 5_000)) == 200


def a_chain(count: int) -> list[dict[str, object]]:
    previous, rows = START, []
    for position in range(1, count + 1):
        row: dict[str, object] = {**an_entry(agent='Müller "x" \\ \t').as_row(), "position": position}
        previous = hash_of(previous, row)
        rows.append({**row, "hash": previous.hex()})
    return rows


def test_a_chain_as_it_was_written_is_whole() -> None:
    rows = a_chain(5)

    assert first_broken(rows, after=0, previous=START) is None
    assert first_broken(rows[2:], after=2, previous=bytes.fromhex(str(rows[1]["hash"]))) is None


def test_every_changed_field_and_every_removed_entry_breaks_the_chain() -> None:
    rows = a_chain(5)
    for name in rows[2].keys() - {"hash", "position", "at"}:
        changed = [*rows[:2], {**rows[2], name: "another"}, *rows[3:]]
        assert first_broken(changed, after=0, previous=START) == 3, name
    later = {**rows[2], "at": "2026-01-02T03:04:05.678902+00:00"}
    assert first_broken([*rows[:2], later, *rows[3:]], after=0, previous=START) == 3
    assert first_broken([*rows[:2], *rows[3:]], after=0, previous=START) == 3


def test_beyond_its_limit_a_backlog_counts_what_it_cannot_keep_apart() -> None:
    backlog = Backlog(limit=2)
    for n in range(7):
        backlog.add(an_entry(address=f"192.0.2.{n}", code="not_signed_in"), foldable=True)
    backlog.add(an_entry(outcome=Outcome.ALLOWED), foldable=False)

    assert len(backlog) == 4
    kept = backlog.first()
    assert [entry.address for entry in kept] == ["192.0.2.0", "192.0.2.1", ""]
    backlog.done(3)
    [folded] = backlog.first()
    assert (folded.times, folded.address, folded.code) == (5, "", "not_signed_in")


class Table:
    """Takes entries; away, or against some, as told."""

    def __init__(self) -> None:
        self.rows: list[Entry] = []
        self.away = 0
        self.hated: set[UUID] = set()

    async def write(self, entries: Sequence[Entry]) -> None:
        if self.away:
            self.away -= 1
            raise ConnectionError("away")
        if any(entry.entry_id in self.hated for entry in entries):
            raise ValueError("no table takes that")
        self.rows += entries


async def test_an_entry_is_written_when_record_returns_and_refusals_follow_by_themselves() -> None:
    table = Table()
    trail = Trail(table.write)
    running = asyncio.create_task(trail.run())
    refusal, change = an_entry(), an_entry(outcome=Outcome.ALLOWED)
    trail.note(refusal)
    await trail.record(change)

    assert table.rows == [refusal, change]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_while_the_table_is_away_record_fails_and_nothing_is_lost() -> None:
    table = Table()
    table.away = 1
    trail = Trail(table.write, patience=0.05)
    running = asyncio.create_task(trail.run())
    change = an_entry(outcome=Outcome.ALLOWED)
    with pytest.raises(NotRecorded):
        await trail.record(change)
    assert (table.away, table.rows) == (0, [])
    trail.note(later := an_entry())
    await trail.flush()

    assert table.rows == [change, later]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_entry_that_no_table_takes_holds_up_no_other() -> None:
    table, trail_of = Table(), [an_entry(user_id=uuid4()) for _ in range(7)]
    trail = Trail(table.write)
    table.hated = {trail_of[3].entry_id}
    for entry in trail_of:
        trail.note(entry)
    await trail.flush()

    assert table.rows == [*trail_of[:3], *trail_of[4:]]


async def test_what_cannot_be_written_at_the_end_does_not_hold_it_up() -> None:
    table = Table()
    table.away = 1_000
    trail = Trail(table.write)
    trail.note(an_entry())
    async with asyncio.timeout(2):
        await trail.flush(0.5)

    assert table.away == 999


async def test_what_anybody_can_repeat_is_one_entry_at_once_and_one_for_all_that_follow_in_its_minute() -> None:
    table = Table()
    trail = Trail(table.write)
    for n in range(4_000):
        trail.note(an_entry(address=f"192.0.2.{n % 2}", code="not_signed_in", status=401))
    for _ in range(3):
        trail.note(an_entry(user_id=UUID(ID), status=404))
    await trail.flush()

    assert [(entry.address, entry.times) for entry in table.rows] == [
        ("192.0.2.0", 1),
        ("192.0.2.1", 1),
        *[("", 1)] * 3,
        ("192.0.2.0", 1_999),
        ("192.0.2.1", 1_999),
    ]


def test_refusals_from_ever_new_addresses_are_counted_and_each_minute_is_written_once() -> None:
    counted = Repeats(limit=3)
    written = [counted.take(an_entry(address=f"192.0.2.{n}"), 0.0) for n in range(50)]

    assert [entry.address for entry in written if entry is not None] == ["192.0.2.0", "192.0.2.1", "192.0.2.2", ""]
    assert counted.due(59.0) == []
    assert [(entry.address, entry.times) for entry in counted.due(60.0)] == [("", 46)]
    assert counted.due(600.0) == []
    assert counted.take(an_entry(address="192.0.2.99"), 601.0) is not None


async def test_a_line_that_nobody_writes_is_full_at_some_time() -> None:
    trail = Trail(Table().write, limit=2, patience=0.01)
    for n in range(4):
        assert (n, trail.full) == (n, False)
        with pytest.raises(NotRecorded):
            await trail.record(an_entry(outcome=Outcome.ALLOWED))
    assert trail.full
