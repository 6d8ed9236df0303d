"""The local user is signed in by being there: on one machine, by a flag, and never beside a mark of production."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from events.base import LOCAL_USER
from orchestrator.auth.identity import Proof
from orchestrator.auth.local_mode import Exposure, LocalProvider, settle
from runtime.faults import Permanent

LAPTOP = Exposure(providers=(), binds=("127.0.0.1", "::1"), names=("localhost",), origins=("http://localhost:3000",))
MARKS: dict[str, dict[str, Any]] = {
    "a provider": {"providers": ("github",)},
    "every address": {"binds": ("127.0.0.1", "0.0.0.0")},
    "every address of IPv6": {"binds": ("::",)},
    "an address of the network": {"binds": ("192.168.1.5",)},
    "a name": {"binds": ("repostream.example.org",)},
    "no address": {"binds": ("",)},
    "another host": {"names": ("repostream.example.org",)},
    "an address as host": {"names": ("10.0.0.1",)},
    "pages elsewhere": {"origins": ("https://repostream.example.org",)},
    "pages with a name that begins like ours": {"origins": ("http://localhost.example.org",)},
    "pages of no place": {"origins": ("null",)},
    "a cluster": {"in_cluster": True},
}


def test_a_laptop_signs_its_user_in() -> None:
    assert settle(flag=True, found=LAPTOP) is True
    assert settle(flag=True, found=replace(LAPTOP, origins=("http://[::1]:3000", "https://127.0.0.1"))) is True


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_beside_any_mark_of_production_it_is_refused(mark: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match="REPOSTREAM_LOCAL_SIGN_IN"):
        settle(flag=True, found=replace(LAPTOP, **mark))


def test_without_the_flag_nobody_is_signed_in_by_being_there() -> None:
    with pytest.raises(SystemExit, match="no sign-in configured"):
        settle(flag=False, found=LAPTOP)
    assert settle(flag=False, found=replace(LAPTOP, providers=("github",), binds=("0.0.0.0",))) is False


def a_request(server: object = ("127.0.0.1", 8001), client: object = ("127.0.0.1", 5), forwarded: str = "") -> Any:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return HTTPConnection({"type": "http", "server": server, "client": client, "headers": headers})


@pytest.mark.parametrize("forwarded", ["", "127.0.0.1", "::1, 127.0.0.1"])
async def test_a_request_of_this_machine_is_the_local_users(forwarded: str) -> None:
    identity = await LocalProvider().identify(a_request(forwarded=forwarded))

    assert (identity.user_id, identity.proof) == (LOCAL_USER, Proof.LOCAL)


@pytest.mark.parametrize(
    "request_",
    [
        a_request(server=("192.168.1.5", 8001)),
        a_request(server=None),
        a_request(client=("192.168.1.9", 5)),
        a_request(client=None),
        a_request(forwarded="203.0.113.7"),
        a_request(forwarded="127.0.0.1, 203.0.113.7"),
        a_request(forwarded="unknown"),
    ],
    ids=["by another address", "by none", "from elsewhere", "from nowhere", "passed on", "passed on twice", "hidden"],
)
async def test_a_request_from_elsewhere_is_nobodys(request_: Any) -> None:
    with pytest.raises(Permanent) as refusal:
        await LocalProvider().identify(request_)

    assert refusal.value.code == "not_local"
