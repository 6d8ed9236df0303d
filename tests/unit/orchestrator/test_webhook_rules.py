"""Webhooks: which targets, which signature, when again, when no more."""

import asyncio
import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from events.base import Envelope
from orchestrator.adapters.webhook_post import WebhookPost
from orchestrator.webhooks.messages import Told, body_of, told_of
from orchestrator.webhooks.policy import DELAYS, next_delay, why_disabled
from orchestrator.webhooks.signature import shown, signed_headers
from orchestrator.webhooks.target import read_target
from runtime.faults import Permanent

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "rebuilt"),
    [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("https://Hooks.Example.com:443/a?b=c", "https://hooks.example.com/a?b=c"),
        ("https://hooks.example.com:8443/a", "https://hooks.example.com:8443/a"),
    ],
)
def test_a_public_https_address_is_taken_and_built_anew(url: str, rebuilt: str) -> None:
    assert read_target(url, loopback=False).url == rebuilt


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "hooks.example.com", "", "https://",
        "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f000001/",
        "https://127.1/", "https://10.0.0.1/", "https://1.1.1.1/", "https://a:b@hooks.example.com/",
        "https://hooks.example.com:22/", "https://hooks.example.com:99999/", "https://hooks.example.com/#x",
        "https://hooks.example.com\\@evil.example/", "https://hooks.example.com/\n", "https://h\u043eoks.example.com/",
        "https://printer/", "https://-a.example.com/", "https://hooks.example.com/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(Permanent) as caught:
        read_target(url, loopback=False)
    assert caught.value.code == "bad_webhook_url"


def test_this_machine_is_a_target_only_where_the_settings_say_so() -> None:
    assert read_target("http://127.0.0.1:9/x", loopback=True).loopback
    assert not read_target("https://hooks.example.com/x", loopback=True).loopback
    with pytest.raises(Permanent):
        read_target("http://127.0.0.1:9/x", loopback=False)


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:169.254.169.254"], []])
async def test_a_name_that_leads_into_the_network_is_not_called(addresses: list[str]) -> None:
    post = WebhookPost(resolver=lambda *_: addresses)
    answer, _ = await post.send(read_target("https://hooks.example.com/", loopback=True), {}, b"{}")
    await post.close()

    assert (answer.status, answer.code) == (None, "webhook_not_public")


async def test_a_name_that_cannot_be_resolved_is_unreachable() -> None:
    def resolver(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    post = WebhookPost(resolver=resolver)
    answer, _ = await post.send(read_target("https://hooks.example.com/", loopback=False), {}, b"{}")
    await post.close()

    assert answer.code == "webhook_unreachable"


async def test_names_that_nobody_answers_for_keep_no_thread_of_the_rest_of_the_process() -> None:
    ended = threading.Event()

    def resolver(_host: str, _port: int) -> list[str]:
        ended.wait(20)
        return []

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    post = WebhookPost(resolver=resolver, seconds=0.2)
    target = read_target("https://hooks.example.com/", loopback=False)
    sent = await asyncio.gather(*(post.send(target, {}, b"{}") for _ in range(6)))
    try:
        async with asyncio.timeout(2):
            assert await asyncio.to_thread(lambda: "served") == "served"
    finally:
        ended.set()
        await post.close()

    assert [answer.code for answer, _ in sent] == ["webhook_timed_out"] * 6


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    delivery = UUID("0b0e7f9e-7e6e-4a52-9b5c-2f6f5d1c7a10")
    headers = signed_headers(secret, delivery, 1_614_265_330, body)

    assert shown(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert headers["webhook-id"] == str(delivery)
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"].startswith("v1,")
    assert len(base64.b64decode(headers["webhook-signature"][3:])) == 32
    assert headers != signed_headers(secret, delivery, 1_614_265_331, body)


def test_a_delivery_is_attempted_for_most_of_a_day_ever_more_rarely() -> None:
    delays = [next_delay(made, 0.5) for made in range(1, len(DELAYS) + 2)]

    assert delays == [*DELAYS, None]
    assert 20 * 3_600 < sum(DELAYS) < 24 * 3_600
    assert next_delay(1, 0.0) == pytest.approx(4.5)
    assert next_delay(1, 0.999) == pytest.approx(5.5, abs=0.01)


def test_a_webhook_is_disabled_when_it_is_gone_or_failed_for_a_day() -> None:
    day = NOW - timedelta(hours=23, minutes=1)
    assert why_disabled(410, over=False, failing_since=NOW, now=NOW) == "gone"
    assert why_disabled(500, over=True, failing_since=day, now=NOW) == "failing"
    assert why_disabled(500, over=False, failing_since=day, now=NOW) is None
    assert why_disabled(None, over=True, failing_since=NOW, now=NOW) is None


def test_only_the_ends_of_an_analysis_are_told_without_free_text() -> None:
    def event(kind: str, data: dict[str, object]) -> Envelope:
        return Envelope(
            event_id=uuid4(), event_type=kind, stream_id="analysis/a", version=1, tenant_id=uuid4(),
            repository_id=UUID(int=7), correlation_id=uuid4(), timestamp=NOW, data=data,
        )  # fmt: skip

    failed = event("repository.processing.failed", {"stage": "clone", "code": "not_found", "message": "of somebody"})
    assert told_of(failed) is Told.FAILED
    assert "somebody" not in body_of(failed, Told.FAILED)
    assert '"code": "not_found"' in body_of(failed, Told.FAILED)
    assert told_of(event("repository.processing.started", {})) is None
