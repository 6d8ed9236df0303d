import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.base import Envelope
from events.delivery.crash import POINTS, crash_point
from events.delivery.entries import FIELD, Entry, Unreadable, read_envelope
from events.delivery.packed import unpack
from events.log.drafts import record
from tests.support.kernel import requested


async def as_it_is(envelope: Envelope) -> Envelope:
    return envelope


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_what_is_packed_comes_out_as_it_was_whatever_its_bytes(payloads: list[bytes]) -> None:
    packed = b"".join(b"1-%d %d\n%b" % (n, len(payload), payload) for n, payload in enumerate(payloads))

    assert unpack(packed) == [(b"1-%d" % n, {FIELD: payload}, 0, 0) for n, payload in enumerate(payloads)]


async def test_an_entry_gives_its_event_with_its_place() -> None:
    envelope = record(requested(1), "analysis/a", 1)

    read = await read_envelope(Entry("workflow", "1-7", envelope.model_dump_json().encode()), as_it_is)

    assert read == envelope.with_seq(7)


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff\xfe", b"null", b'{"event_type": "repository.registered"}'])
async def test_what_is_no_event_is_unreadable_and_nothing_worse(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        await read_envelope(Entry("workflow", "1-7", payload), as_it_is)


def test_a_process_ends_only_at_the_point_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    for point in POINTS:
        crash_point("stage.parse", point)
    monkeypatch.setenv("REPOSTREAM_CRASH_AT", "parse:before_ack")
    monkeypatch.setenv("REPOSTREAM_CRASH_MARK", str(tmp_path / "crashed"))
    for point in POINTS:
        crash_point("stage.parse", point)
        crash_point("stage.embed", point)
    crash_point("stage.parse", "before_ack")  # marked: once is enough

    assert ended == [137]
