"""What a live channel is called, and that the census of names sees one without a tenant."""

from uuid import uuid4

from events.catalog import TOPICS
from runtime.live import LiveChannels
from tests.support.names import without_tenant


def test_every_live_channel_names_its_tenant() -> None:
    tenant, question = uuid4(), uuid4()
    live = LiveChannels(tenant)

    assert live.ticks == f"live.{tenant}.ticks"
    assert live.answer(question) == live.answer(str(question)) == f"live.{tenant}.answer.{question}"
    assert live.newest_ticks(question) == f"live.{tenant}.{question}.ticks"
    assert live.every == f"live.{tenant}.*"


def test_the_census_finds_names_that_are_nobodys() -> None:
    tenant, other = uuid4(), uuid4()
    live = LiveChannels(tenant)
    named = [live.ticks, live.answer(uuid4()), live.newest_ticks(uuid4()), *TOPICS]
    wrong = ["live.ticks", f"live.answer.{uuid4()}", LiveChannels(other).ticks, "cache:files", "stage.unknown"]

    assert without_tenant([*named, *wrong], {str(tenant)}) == wrong
