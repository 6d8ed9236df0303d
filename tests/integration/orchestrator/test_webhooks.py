"""A webhook hears of every analysis that ended, at least once, signed, whatever it answered at first."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from events.base import LOCAL_TENANT
from events.log.postgres import PostgresJournal
from orchestrator.adapters import webhook_delivery
from orchestrator.adapters.webhook_post import WebhookPost
from orchestrator.projections.runner import catch_up
from orchestrator.projections.webhooks import Webhooks
from orchestrator.webhooks import policy
from orchestrator.webhooks.target import read_target
from runtime.database import SEALER, sealer_of
from runtime.sealing import fresh_key
from runtime.settings import SecretSettings
from tests.support.orchestrator import System, a_system, eventually
from tests.support.webhook_receiver import Receiver, a_receiver


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSTREAM_SECRET_KEY", fresh_key())
    monkeypatch.setenv("REPOSTREAM_WEBHOOKS_LOOPBACK", "true")
    monkeypatch.setattr(policy, "DELAYS", (0.05, 0.05, 0.05))
    monkeypatch.setattr(webhook_delivery, "_POLL", 0.05)


@pytest.fixture
async def system(
    settings: None, database_url: str, redis_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[System]:
    async with a_system(monkeypatch, database_url=database_url, redis_url=redis_url, home=home) as system:
        knows_the_key(system)
        yield system


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


def knows_the_key(system: System) -> None:
    """Let the workers open what the orchestrator seals."""
    engine = system.engine.execution_options(**{SEALER: sealer_of(SecretSettings())})
    system.workers.journal = system.journal = PostgresJournal(engine)


async def a_webhook(system: System, url: str, **more: object) -> dict[str, Any]:
    reply = await system.client.post("/api/v1/webhooks", json={"url": url, **more})
    assert reply.status_code == 201, reply.text
    made: dict[str, Any] = reply.json()
    return made


async def deliveries(system: System, hook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await system.get(f"/webhooks/{hook['webhook_id']}/deliveries"))["items"]
    return found


async def hooks(system: System) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await system.get("/webhooks"))["items"]
    return found


async def put_delivery(system: System, hook: dict[str, Any], tenant: UUID = LOCAL_TENANT) -> str:
    """A delivery without an analysis, for what does not depend on one."""
    delivery = str(uuid4())
    statement = text("""
        INSERT INTO app.webhook_deliveries VALUES
          (:id, :hook, :tenant, 'analysis.ready', '{"a": 1}', 'pending', 0, 0, now(), now())
    """)
    async with system.engine.begin() as connection:
        await connection.execute(statement, {"id": delivery, "hook": hook["webhook_id"], "tenant": tenant})
    return delivery


async def test_an_analysis_is_told_signed_and_its_secret_shown_once(system: System, receiver: Receiver) -> None:
    hook = await a_webhook(system, receiver.url)
    analysis = await system.begin()
    await system.until(analysis, "refined")
    done = await eventually(
        lambda: deliveries(system, hook), lambda found: [d["state"] for d in found] == ["delivered", "delivered"]
    )

    assert sorted(item.message["type"] for item in receiver.got) == ["analysis.ready", "analysis.refined"]
    assert {item.message["data"]["analysis_id"] for item in receiver.got} == {str(analysis)}
    assert all(item.is_signed_with(hook["secret"]) for item in receiver.got)
    assert not receiver.got[0].is_signed_with("whsec_AAAA")
    age = datetime.now(UTC).timestamp() - int(receiver.got[0].headers["webhook-timestamp"])
    assert 0 <= age < 60
    assert [item["log"][0]["status"] for item in done] == [200, 200]
    [listed] = await hooks(system)
    assert "secret" not in listed
    async with system.engine.connect() as connection:
        stored = (await connection.execute(text("SELECT secret FROM app.webhooks"))).scalar_one()
    assert hook["secret"].encode() not in stored


async def test_a_failed_analysis_is_told_and_only_what_was_asked_for(system: System, receiver: Receiver) -> None:
    from events.processing import FaultKind, Stage

    hook = await a_webhook(system, receiver.url, events=["analysis.failed"])
    system.workers.faults = {(Stage.CLONE, 0, 1): (FaultKind.PERMANENT, "repository_not_found")}
    await system.until(await system.begin(), "failed")
    await eventually(lambda: deliveries(system, hook), lambda found: [d["state"] for d in found] == ["delivered"])

    [told] = receiver.got
    assert (told.message["type"], told.message["data"]["code"]) == ("analysis.failed", "repository_not_found")


async def test_a_receiver_that_fails_at_first_is_told_again_with_the_same_id(
    system: System, receiver: Receiver
) -> None:
    hook = await a_webhook(system, receiver.url)
    receiver.answers = [500, (302, {"location": "http://127.0.0.1:1/elsewhere"}, b"")]
    delivery = await put_delivery(system, hook)
    [done] = await eventually(lambda: deliveries(system, hook), lambda found: found[0]["state"] == "delivered")

    assert [(entry["status"], entry["code"]) for entry in done["log"]] == [
        (500, "webhook_refused"),
        (302, "webhook_redirects"),
        (200, ""),
    ]
    assert [item.headers["webhook-id"] for item in receiver.got] == [delivery] * 3
    assert all(item.is_signed_with(hook["secret"]) for item in receiver.got)
    again = await system.client.post(f"/api/v1/webhooks/{hook['webhook_id']}/deliveries/{delivery}/redeliver")
    assert again.status_code == 202
    [redone] = await eventually(lambda: deliveries(system, hook), lambda found: len(found[0]["log"]) == 4)
    assert receiver.got[3].headers["webhook-id"] == redone["delivery_id"]


async def test_attempts_end_and_the_log_keeps_the_first_bytes_of_an_answer_without_secrets(
    system: System, receiver: Receiver
) -> None:
    hook = await a_webhook(system, receiver.url)
    long = b"token ghp_0123456789abcdefghij " + b"x" * 5_000
    receiver.answers = [(503, {}, long)] * 4
    await put_delivery(system, hook)
    [over] = await eventually(lambda: deliveries(system, hook), lambda found: found[0]["state"] == "failed")

    assert len(over["log"]) == over["attempts"] == 4
    assert 900 < len(over["log"][0]["answer"]) <= 1_024
    assert "ghp_" not in over["log"][0]["answer"]
    [failing] = await hooks(system)
    assert failing["enabled"]
    assert failing["failing_since"] is not None
    await put_delivery(system, hook)
    path = f"/webhooks/{hook['webhook_id']}/deliveries"
    first = await system.get(path, limit=1)
    second = await system.get(path, limit=1, cursor=first["next"])
    assert second["items"][0]["delivery_id"] == over["delivery_id"]


async def test_a_webhook_that_is_gone_or_fails_all_day_is_called_no_more_until_it_is_enabled(
    system: System, receiver: Receiver
) -> None:
    hook = await a_webhook(system, receiver.url)
    receiver.answers = [410]
    await put_delivery(system, hook)
    [disabled] = await eventually(lambda: hooks(system), lambda found: not found[0]["enabled"])
    assert disabled["disabled_reason"] == "gone"
    count = len(receiver.got)
    await asyncio.sleep(0.5)
    assert len(receiver.got) == count

    path = f"/api/v1/webhooks/{hook['webhook_id']}"
    enabled = (await system.client.patch(path, json={"enabled": True})).json()
    assert (enabled["enabled"], enabled["disabled_reason"], enabled["failing_since"]) == (True, None, None)
    await eventually(lambda: deliveries(system, hook), lambda found: found[0]["state"] == "delivered")
    receiver.answers = [500] * 4
    async with system.engine.begin() as connection:
        day = datetime.now(UTC) - timedelta(hours=24)
        await connection.execute(text("UPDATE app.webhooks SET failing_since = :day"), {"day": day})
    await put_delivery(system, hook)
    [failed] = await eventually(lambda: hooks(system), lambda found: not found[0]["enabled"])
    assert failed["disabled_reason"] == "failing"


async def test_a_slow_receiver_is_given_up_and_holds_up_no_other(system: System, receiver: Receiver) -> None:
    receiver.free.clear()
    hook = await a_webhook(system, receiver.url)
    await put_delivery(system, hook)
    await eventually(lambda: at_work(system), bool)
    for _ in range(4):
        await put_delivery(system, hook)
    await eventually(lambda: at_work(system), lambda count: count >= 2)
    async with a_receiver() as quick:
        other = await a_webhook(system, quick.url)
        await put_delivery(system, other)
        await eventually(lambda: deliveries(system, other), lambda found: found[0]["state"] == "delivered")
        assert [item["log"] for item in await deliveries(system, hook)] == [[]] * 5  # it still says nothing
    post = WebhookPost(seconds=0.3)
    answer, _ = await post.send(read_target(receiver.url, loopback=True), {}, b"{}")
    await post.close()
    assert answer.code == "webhook_timed_out"


async def test_a_tenant_with_many_slow_receivers_holds_up_no_other_tenant(system: System, receiver: Receiver) -> None:
    receiver.free.clear()
    slow = [await a_webhook(system, f"{receiver.url}?{n}") for n in range(9)]
    tenant = uuid4()
    async with system.engine.begin() as connection:
        await connection.execute(text("UPDATE app.webhooks SET tenant_id = :tenant"), {"tenant": tenant})
    for hook in slow * 2:
        await put_delivery(system, hook, tenant)
    await eventually(lambda: at_work(system), lambda count: count >= 2)
    async with a_receiver() as quick:
        other = await a_webhook(system, quick.url)
        await put_delivery(system, other)
        await eventually(lambda: deliveries(system, other), lambda found: found[0]["state"] == "delivered")
        under_way = await at_work(system)
    assert 2 <= under_way <= 5


async def at_work(system: System) -> int:
    """How many deliveries an attempt was begun at."""
    async with system.engine.connect() as connection:
        count = "SELECT count(*) FROM app.webhook_deliveries WHERE state = 'pending' AND attempts > 0"
        return int((await connection.execute(text(count))).scalar_one())


async def test_what_a_killed_process_was_at_is_sent_again_and_nothing_is_put_down_twice(
    settings: None,
    receiver: Receiver,
    database_url: str,
    redis_url: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_delivery, "_CLAIM", 1.0)
    arrived = asyncio.Event()
    settled = webhook_delivery.WebhookDelivery._settle

    async def never(*_: object) -> None:
        arrived.set()
        await asyncio.sleep(600)

    monkeypatch.setattr(webhook_delivery.WebhookDelivery, "_settle", never)
    servers = {"database_url": database_url, "redis_url": redis_url, "home": home}
    async with a_system(monkeypatch, **servers) as first:  # type: ignore[arg-type]
        knows_the_key(first)
        hook = await a_webhook(first, receiver.url, events=["analysis.ready"])
        await first.until(await first.begin(), "ready", "refined")
        await arrived.wait()
    assert len(receiver.got) == 1  # it was sent, and nobody recorded that
    monkeypatch.setattr(webhook_delivery.WebhookDelivery, "_settle", settled)
    monkeypatch.setattr(webhook_delivery, "_CLAIM", 60.0)
    async with a_system(monkeypatch, **servers) as second:  # type: ignore[arg-type]
        knows_the_key(second)
        [done] = await eventually(lambda: deliveries(second, hook), lambda found: found[0]["state"] == "delivered")
        assert done["attempts"] == 2
        assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]
        async with second.engine.begin() as connection:
            await connection.execute(text("UPDATE es.projections SET cursor_seq = 0 WHERE name = 'webhooks'"))
        await catch_up(second.engine, second.journal, Webhooks())
        assert len(await deliveries(second, hook)) == 1


async def test_routes_say_what_is_wrong_and_change_what_they_say(system: System, receiver: Receiver) -> None:
    client = system.client

    async def code(reply: httpx.Response) -> tuple[int, str]:
        return reply.status_code, reply.json()["code"]

    bad = [{"url": "http://10.0.0.1/"}, {"url": "https://user:pw@hooks.example.com/"}, {"url": "https://intranet/"}]
    for body in bad:
        assert await code(await client.post("/api/v1/webhooks", json=body)) == (422, "bad_webhook_url")
    for wrong in ({"url": receiver.url, "events": []}, {"url": receiver.url, "events": ["x"]}, {}):
        assert await code(await client.post("/api/v1/webhooks", json=wrong)) == (422, "invalid_request")
    hook = await a_webhook(system, receiver.url)
    path = f"/api/v1/webhooks/{hook['webhook_id']}"
    assert (await client.patch(path, json={"events": ["analysis.failed"]})).json()["events"] == ["analysis.failed"]
    assert await code(await client.patch(path, json={"url": "http://10.0.0.1/"})) == (422, "bad_webhook_url")
    missing = f"{path}/deliveries/{uuid4()}/redeliver"
    assert await code(await client.post(missing)) == (404, "not_found")
    assert await code(await client.delete(f"/api/v1/webhooks/{uuid4()}")) == (404, "not_found")
    assert (await client.delete(path)).status_code == 204
    assert await hooks(system) == []
    for _ in range(20):
        await a_webhook(system, receiver.url)
    assert await code(await client.post("/api/v1/webhooks", json={"url": receiver.url})) == (409, "too_many_webhooks")
