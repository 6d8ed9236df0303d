"""Calls of repositories' hosts: which are signed, which delivery each is, and what it means."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from orchestrator.webhooks.push import Call, Outcome, Push, Unreadable, delivery_of, is_signed, read_call
from orchestrator.webhooks.signature import shown

SECRET, NOW = bytes(range(32)), 1_800_000_000
KEY = shown(SECRET).encode()
BODY = json.dumps({"ref": "refs/heads/main", "after": "c" * 40, "repository": {"default_branch": "main"}}).encode()


def mac(body: bytes = BODY, key: bytes = KEY) -> str:
    return hmac.digest(key, body, hashlib.sha256).hex()


def standard(body: bytes = BODY, *, at: int = NOW, name: str = "m-1", secret: bytes = SECRET) -> dict[str, str]:
    signature = base64.b64encode(hmac.digest(secret, f"{name}.{at}.".encode() + body, hashlib.sha256)).decode()
    return {"webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


GOOD: dict[str, dict[str, str]] = {
    "GitHub": {"x-hub-signature-256": f"sha256={mac()}", "x-github-event": "push"},
    "Gitea": {"x-gitea-signature": mac(), "x-hub-signature-256": f"sha256={mac()}", "x-gitea-event": "push"},
    "Forgejo": {"x-forgejo-signature": mac(), "x-forgejo-event": "push"},
    "GitLab": {"x-gitlab-token": KEY.decode(), "x-gitlab-event": "Push Hook"},
    "GitLab, signed": {**standard(), "x-gitlab-token": KEY.decode(), "x-gitlab-event": "Push Hook"},
    "one of two signatures": {**standard(), "webhook-signature": f"v1,AAAA {standard()['webhook-signature']}"},
}
BAD: dict[str, dict[str, str]] = {
    "nothing": {},
    "the older hash alone": {"x-hub-signature": "sha1=" + hmac.new(KEY, BODY, "sha1").hexdigest()},
    "no algorithm": {"x-hub-signature-256": mac()},
    "another algorithm": {"x-hub-signature-256": f"sha512={mac()}"},
    "upper case": {"x-hub-signature-256": f"sha256={mac().upper()}"},
    "cut off": {"x-hub-signature-256": f"sha256={mac()[:-1]}"},
    "empty": {"x-hub-signature-256": "sha256="},
    "not ASCII": {"x-hub-signature-256": "sha256=\udcff\u00e9"},
    "another body": {"x-hub-signature-256": f"sha256={mac(BODY + b' ')}"},
    "another secret": {"x-hub-signature-256": f"sha256={mac(key=b'x' * 32)}"},
    "the bytes in place of the text": {"x-hub-signature-256": f"sha256={mac(key=SECRET)}"},
    "a wrong one beside a right one": {**GOOD["GitHub"], "x-gitlab-token": "wrong"},
    "a token that begins alike": {"x-gitlab-token": KEY.decode()[:-1]},
    "an empty token": {"x-gitlab-token": ""},
    "too old": standard(at=NOW - 301),
    "from the future": standard(at=NOW + 301),
    "another id": {**standard(), "webhook-id": "m-2"},
    "another time": {**standard(), "webhook-timestamp": str(NOW + 1)},
    "no time": {**standard(), "webhook-timestamp": ""},
    "an odd time": {**standard(), "webhook-timestamp": "\u0661"},
    "a huge time": {**standard(), "webhook-timestamp": "9" * 400},
    "another version": {**standard(), "webhook-signature": standard()["webhook-signature"].replace("v1", "v2")},
    "a ninth signature": {**standard(), "webhook-signature": "v1,A " * 8 + standard()["webhook-signature"]},
}


@pytest.mark.parametrize("headers", GOOD.values(), ids=GOOD.keys())
def test_whoever_has_the_secret_is_let_in_in_each_hosts_way(headers: dict[str, str]) -> None:
    assert is_signed(Call(headers, BODY), SECRET, NOW)


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD.keys())
def test_whoever_has_not_is_let_in_in_none(headers: dict[str, str]) -> None:
    assert not is_signed(Call(headers, BODY), SECRET, NOW)


def test_a_delivery_that_is_sent_again_is_the_same_by_whatever_name_where_its_name_is_not_signed() -> None:
    def of(body: bytes = BODY, **headers: str) -> Any:
        return delivery_of(Call({name.replace("_", "-"): value for name, value in headers.items()}, body))

    once, again = of(x_github_delivery="1"), of(x_github_delivery="2")
    assert (once.name, again.name, once.digest) == ("1", "2", again.digest)
    assert of(b"{}", x_github_delivery="1").digest != once.digest
    assert of(x_github_delivery="\x00" * 3).name == of().name == hashlib.sha256(BODY).hexdigest()
    # A branch may go to and fro: GitLab says the same twice then, and names it otherwise.
    to, fro = of(x_gitlab_token="t", idempotency_key="a"), of(x_gitlab_token="t", idempotency_key="b")
    assert to.digest != fro.digest
    assert of(x_gitlab_token="t", x_gitlab_event_uuid="u").name == "u"
    assert of(**{name.replace("-", "_"): value for name, value in standard().items()}).name == "m-1"
    assert of(x_gitlab_token="t").digest == once.digest


def said(body: object, event: str = "push", **headers: str) -> Call:
    return Call({"x-github-event": event, **headers}, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("call", "read"),
    [
        (said({}, "ping"), Outcome.PING),
        (said({}, "issues"), Outcome.OTHER_EVENT),
        (Call({}, BODY), Outcome.OTHER_EVENT),
        (Call({"x-gitlab-event": "Push Hook"}, BODY), Push("main", "c" * 40, "main")),
        (Call({"x-gitlab-event": "Tag Push Hook"}, BODY), Outcome.OTHER_EVENT),
        (said({"ref": "refs/tags/v1", "after": "c" * 40}), Outcome.OTHER_BRANCH),
        (said({"ref": "refs/heads/a/b", "after": "d" * 64}), Push("a/b", "d" * 64, None)),
        (said({"ref": "refs/heads/x", "after": "0" * 40}), Push("x", None, None)),
        (
            said({"ref": "refs/heads/x", "after": "e" * 40, "project": {"default_branch": "x"}}),
            Push("x", "e" * 40, "x"),
        ),
        (
            said({"ref": "refs/heads/x", "after": "e" * 40, "repository": 7, "project": {"default_branch": 1}}),
            Push("x", "e" * 40, None),
        ),
        (
            said(
                b"payload=%7B%22ref%22%3A%22refs%2Fheads%2Fx%22%2C%22after%22%3A%22" + b"f" * 40 + b"%22%7D",
                **{"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            ),
            Push("x", "f" * 40, None),
        ),
    ],
)
def test_what_a_call_means(call: Call, read: object) -> None:
    assert read_call(call) == read


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"ref": "refs/heads/x"}',
        b'{"ref": 1, "after": "c"}',
        b'{"ref": "refs/heads/x", "after": "' + b"C" * 40 + b'"}',
        b'{"ref": "refs/heads/x", "after": "main; rm -rf"}',
    ],
)
def test_what_is_signed_and_cannot_be_read_is_an_error_by_itself(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_call(said(body))
