"""Whose address counts: the peer's, unless a proxy that is trusted says for whom it asks."""

import pytest
from starlette.requests import HTTPConnection

from orchestrator.auth.address import origin_of, read_networks, site_of


def a_connection(peer: str | None, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return HTTPConnection({"type": "http", "client": (peer, 1) if peer else None, "headers": headers})


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "found"),
    [
        ("", "9.9.9.9", ["1.1.1.1"], "9.9.9.9"),
        ("", "127.0.0.1", ["1.1.1.1"], "127.0.0.1"),
        ("10.0.0.0/8", "10.0.0.7", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.0/8", "10.0.0.7", [], "10.0.0.7"),
        ("10.0.0.0/8", "10.0.0.7", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),  # what the client itself wrote stands before
        ("10.0.0.0/8", "10.0.0.7", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        ("10.0.0.0/8", "10.0.0.7", ["1.1.1.1, 10.0.0.9"], "1.1.1.1"),
        ("10.0.0.0/8", "10.0.0.7", ["1.1.1.1, nonsense"], "10.0.0.7"),
        ("10.0.0.0/8", "10.0.0.7", ["10.0.0.8"], "10.0.0.8"),
        ("10.0.0.0/8", "9.9.9.9", ["10.0.0.8"], "9.9.9.9"),
        ("fd00::/8", "fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("10.0.0.7", "::ffff:10.0.0.7", ["1.1.1.1"], "1.1.1.1"),
        ("10.0.0.0/8", None, ["1.1.1.1"], "unknown"),
    ],
)
def test_only_trusted_proxies_are_believed(trusted: str, peer: str | None, forwarded: list[str], found: str) -> None:
    assert origin_of(a_connection(peer, *forwarded), read_networks(trusted))[0] == found


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        (["1.1.1.1"], ("1.1.1.1", False)),
        (["6.6.6.6, 1.1.1.1"], ("1.1.1.1", False)),  # what the client itself wrote stands before
        (["1.1.1.1, 10.0.0.9"], ("1.1.1.1", False)),
        (["127.0.0.1"], ("127.0.0.1", False)),
        ([], ("127.0.0.1", True)),
        (["nonsense"], ("127.0.0.1", True)),
        (["10.0.0.9"], ("10.0.0.9", True)),
    ],
)
def test_the_page_server_is_believed_wherever_it_runs(forwarded: list[str], found: tuple[str, bool]) -> None:
    page_server = a_connection("127.0.0.1", *forwarded)
    assert origin_of(page_server, read_networks("10.0.0.0/8"), vouched=True) == found


def test_a_subscriber_of_ipv6_has_a_whole_network() -> None:
    assert site_of("2001:db8:1:2:3::9") == site_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert site_of("2001:db8:1:3::1") != site_of("2001:db8:1:2::1")
    assert site_of("1.2.3.4") == "1.2.3.4"
    assert site_of("::ffff:1.2.3.4") == "1.2.3.4"
    assert site_of("unknown") == "unknown"


def test_a_proxy_that_is_no_address_is_named() -> None:
    with pytest.raises(ValueError, match=r"Trusted proxies are .*10\.0\.0\.300"):
        read_networks("10.0.0.1, 10.0.0.300")
