"""What a repository's host says when something was pushed: whether it is signed, and what it means. Pure.

A secret is `whsec_` and the base64 of 32 bytes: GitHub, Gitea and Forgejo key their HMAC with that text, GitLab sends
it as its token, or signs with the bytes, as Standard Webhooks has it.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

from orchestrator.webhooks.signature import shown

_TOLERANCE = 300  # seconds between two clocks, for a signature that has a time
_DELIVERY = re.compile(r"[!-~]{1,200}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BRANCH = "refs/heads/"
_FORM = "application/x-www-form-urlencoded"
_SIGNED_BODY = {  # header → what stands before the hexadecimal HMAC of the body
    "x-hub-signature-256": "sha256=",
    "x-gitea-signature": "",
    "x-forgejo-signature": "",
}
_TOKEN, _STANDARD = "x-gitlab-token", "webhook-signature"
_NAMES = ("x-github-delivery", "x-gitea-delivery", "x-forgejo-delivery")
_EVENTS = ("x-github-event", "x-gitea-event", "x-forgejo-event", "x-gitlab-event")
_PUSHES, _PINGS = frozenset({"push", "push hook"}), frozenset({"ping"})
NEEDED = frozenset(
    {*_SIGNED_BODY, _TOKEN, _STANDARD, "webhook-id", "webhook-timestamp", *_NAMES, *_EVENTS}
    | {"content-type", "idempotency-key", "x-gitlab-event-uuid"}
)


class Outcome(StrEnum):
    """What became of a call that is signed."""

    BEGUN = "begun"
    JOINED = "joined"
    CURRENT = "current"
    REPEATED = "repeated"
    PING = "ping"
    OTHER_EVENT = "other_event"
    OTHER_BRANCH = "other_branch"
    BRANCH_DELETED = "branch_deleted"
    NOT_ANALYSED = "not_analysed"


class Unreadable(Exception):
    """A call that is signed, and is no push that can be read."""


@dataclass(frozen=True)
class Call:
    """A call as it came: headers by their name in lower case, each once, and the body byte for byte."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Delivery:
    """Which one it is: the host's name for it, and a digest of what nobody without the secret can change."""

    name: str
    digest: bytes


@dataclass(frozen=True)
class Push:
    """A branch that was pushed to, its new commit (None: it was deleted), and which branch is the default one."""

    branch: str
    commit: str | None
    default_branch: str | None


def is_signed(call: Call, secret: bytes, now: int) -> bool:
    """Whether whoever calls has the secret: every proof that is shown must hold, and one has to be there.

    `now` is in seconds since 1970. Compared in a time that tells nothing.
    """
    key = shown(secret).encode()
    checks: list[bool] = []
    for name, prefix in _SIGNED_BODY.items():
        if name in call.headers:
            wanted = prefix + hmac.digest(key, call.body, hashlib.sha256).hex()
            checks.append(_same(call.headers[name], wanted))
    if _TOKEN in call.headers:
        checks.append(_same(call.headers[_TOKEN], key.decode()))
    if _STANDARD in call.headers:
        checks.append(_is_standard(call, secret, now))
    return bool(checks) and all(checks)


def _is_standard(call: Call, secret: bytes, now: int) -> bool:
    name, at = call.headers.get("webhook-id", ""), call.headers.get("webhook-timestamp", "")
    if not (at.isascii() and at.isdecimal() and len(at) < 12) or abs(now - int(at)) > _TOLERANCE:
        return False
    content = f"{name}.{at}.".encode() + call.body
    wanted = "v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    return any(_same(one, wanted) for one in call.headers[_STANDARD].split(" ")[:8])


def _same(shown_: str, wanted: str) -> bool:
    return hmac.compare_digest(shown_.encode("utf-8", "surrogateescape"), wanted.encode())


def delivery_of(call: Call) -> Delivery:
    """Which delivery a signed call is.

    Where the host's name for it is signed, or comes with the token itself, it decides alone; else the body does too,
    since whoever caught a call could send it again by another name.
    """
    body = hashlib.sha256(call.body).digest()
    if _STANDARD in call.headers or _TOKEN in call.headers:
        names = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")
        name = next((call.headers[each] for each in names if _is_name(call, each)), None)
        if name is not None:
            return Delivery(name, hashlib.sha256(f"name {name}".encode()).digest())
        return Delivery(body.hex(), body)
    name = next((call.headers[each] for each in _NAMES if _is_name(call, each)), body.hex())
    return Delivery(name, body)


def _is_name(call: Call, header: str) -> bool:
    return _DELIVERY.fullmatch(call.headers.get(header, "")) is not None


def read_call(call: Call) -> Push | Outcome:
    """The push that a signed call tells of; else what it is instead. Raises Unreadable."""
    event = next((call.headers[name] for name in _EVENTS if name in call.headers), "").lower()
    if event in _PINGS:
        return Outcome.PING
    if event not in _PUSHES:
        return Outcome.OTHER_EVENT
    said = _payload(call)
    ref = said.get("ref")
    if not isinstance(ref, str):
        raise Unreadable
    if not ref.startswith(_BRANCH):
        return Outcome.OTHER_BRANCH
    after = said.get("after")
    if not isinstance(after, str) or _COMMIT.fullmatch(after) is None:
        raise Unreadable
    return Push(ref.removeprefix(_BRANCH), after if after.strip("0") else None, _default_branch(said))


def _payload(call: Call) -> dict[str, Any]:
    is_form = call.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    try:
        text = call.body.decode()
        said = json.loads(parse_qs(text, max_num_fields=4).get("payload", [""])[0] if is_form else text)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(said, dict):
        raise Unreadable
    return said


def _default_branch(said: Mapping[str, Any]) -> str | None:
    places: tuple[Callable[[], Any], ...] = (lambda: said["repository"], lambda: said["project"])
    for place in places:
        try:
            found = place()["default_branch"]
        except (KeyError, TypeError):
            continue
        if isinstance(found, str):
            return found
    return None
