"""What programs are let in by, as people read it: API keys, programs that act for them, webhooks. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from runtime.client.shapes import ApiKeyView, DeliveryView, GrantView, PushHookView, WebhookView
from web_ui.words import ago, count, moment

SCOPES = {
    "read:repositories": "read what was analysed",
    "write:analysis": "begin and stop analyses",
    "ask:questions": "ask questions",
    "read:events": "follow events",
    "admin": "administrate the installation",
}
EVENTS = {
    "analysis.ready": "an analysis is ready",
    "analysis.refined": "an analysis is complete",
    "analysis.failed": "an analysis failed",
}
_CALLS = {
    "begun": "began an analysis",
    "current": "told of what is analysed already",
    "ping": "said hello",
    "other_event": "told of something else than a push",
    "other_branch": "told of another branch",
    "branch_deleted": "said that the branch was deleted",
    "not_analysed": "found no analysis to repeat",
}
_STATES = {"pending": ("waiting", "busy"), "delivered": ("delivered", "good"), "failed": ("given up", "bad")}
_DISABLED = {"gone": "it said that it is gone (410)", "failing": "it failed for too long"}


def scope_label(scope: str) -> str:
    """A scope with what it means."""
    return f"{scope}: {SCOPES[scope]}" if scope in SCOPES else scope


def key_state(key: ApiKeyView, now: datetime) -> tuple[str, str]:
    """A key's state as a word and a tone."""
    if key.revoked_at is not None:
        return "revoked", "calm"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired", "calm"
    return "valid", "good"


def key_facts(key: ApiKeyView, now: datetime) -> list[str]:
    """One line about a key."""
    ends = f"until {key.expires_at.astimezone(now.tzinfo):%Y-%m-%d}" if key.expires_at is not None else "without an end"
    return [f"{key.prefix}_…", _scopes(key.scopes), used(key.used_at, now), f"made {ago(key.created_at, now)}", ends]


def grant_facts(grant: GrantView, now: datetime) -> list[str]:
    """One line about a program that acts for somebody."""
    return [
        _scopes(grant.scopes),
        used(grant.used_at, now),
        f"until {grant.expires_at.astimezone(now.tzinfo):%Y-%m-%d}",
    ]


def used(at: datetime | None, now: datetime) -> str:
    """When something was last used."""
    return f"last used {ago(at, now)}" if at is not None else "never used"


def webhook_state(webhook: WebhookView) -> tuple[str, str]:
    """A webhook's state as a word and a tone."""
    if not webhook.enabled:
        return "off", "calm"
    return ("failing", "warn") if webhook.failing_since is not None else ("on", "good")


def webhook_facts(webhook: WebhookView, now: datetime, zone: tzinfo) -> list[str]:
    """One line about a webhook."""
    told = ", ".join(webhook.events)
    facts = [f"told of {told}", f"added {ago(webhook.created_at, now)}"]
    if webhook.failing_since is not None:
        facts.append(f"failing since {moment(webhook.failing_since, zone)}")
    if webhook.disabled_reason is not None:
        facts.append(f"switched off: {_DISABLED.get(webhook.disabled_reason, webhook.disabled_reason)}")
    return facts


def push_hook_facts(hook: PushHookView, now: datetime) -> list[str]:
    """One line about a push hook: when it was made, and what its newest call did."""
    facts = [f"made {ago(hook.created_at, now)}"]
    if hook.received_at is None:
        facts.append("not called yet")
    else:
        facts.append(f"{ago(hook.received_at, now)} it {_CALLS.get(hook.outcome, hook.outcome)}")
    if not hook.works:
        facts.append("whoever made it may not begin analyses any more: make a new secret")
    return facts


def delivery_state(delivery: DeliveryView) -> tuple[str, str]:
    """A delivery's state as a word and a tone."""
    return _STATES.get(delivery.state, (delivery.state, "calm"))


def delivery_facts(delivery: DeliveryView, now: datetime) -> list[str]:
    """One line about a delivery: when, how often it was tried, and how the last attempt ended."""
    facts = [ago(delivery.created_at, now), count(delivery.attempts, "attempt")]
    if delivery.log:
        last = delivery.log[-1]
        answered = f"HTTP {last.status}" if last.status is not None else "no answer"
        facts.append(" ".join(filter(None, (answered, last.code, f"after {last.duration:.1f} s"))))
    return facts


def may_be_given(scopes: Iterable[str]) -> list[str]:
    """The scopes that somebody can hand on, in the order of SCOPES."""
    had = set(scopes)
    return [scope for scope in SCOPES if scope in had]


def _scopes(scopes: Sequence[str]) -> str:
    return ", ".join(scopes)
