"""What hosts said of their refs, and that they said nothing, is believed for some minutes."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from orchestrator.adapters.lookups import Found, HeardOfRefs, Key
from runtime.faults import Permanent, Transient

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY: Key = (UUID(int=1), UUID(int=2), "https://github.com/o/r", None, "c0ffee")
FOUND = Found(ref=None, path="", commit="c1", default_branch=None, branches=[], tags=[], branch_count=0, tag_count=0)


async def _says(found: Found | Exception) -> Found:
    if isinstance(found, Exception):
        raise found
    return found


async def test_an_answer_is_known_for_five_minutes() -> None:
    heard = HeardOfRefs()

    assert heard.known(KEY, AT) is None
    assert await heard.keep(KEY, _says(FOUND), AT) == (FOUND, AT)
    assert heard.known(KEY, AT + timedelta(seconds=299)) == (FOUND, AT)
    assert heard.known(KEY, AT + timedelta(seconds=300)) is None


async def test_a_host_that_failed_is_left_alone_for_a_minute() -> None:
    heard = HeardOfRefs()
    with pytest.raises(Transient):
        await heard.keep(KEY, _says(Transient("host_unreachable", "Away.")), AT)

    with pytest.raises(Transient, match="Away"):
        heard.known(KEY, AT + timedelta(seconds=59))
    assert heard.known(KEY, AT + timedelta(seconds=60)) is None


async def test_a_refusal_that_a_person_may_put_right_is_not_repeated() -> None:
    heard = HeardOfRefs()
    with pytest.raises(Permanent):
        await heard.keep(KEY, _says(Permanent("credential_refused", "Wrong.")), AT)

    assert heard.known(KEY, AT) is None


async def test_a_host_that_is_silent_is_given_up_and_left_alone_for_a_minute() -> None:
    heard = HeardOfRefs(patience=0.01)

    async def silence() -> Found:
        await asyncio.sleep(60)
        return FOUND

    with pytest.raises(Transient, match="host_unreachable"):
        await heard.keep(KEY, silence(), AT)
    with pytest.raises(Transient, match="host_unreachable"):
        heard.known(KEY, AT + timedelta(seconds=59))
