import pytest

from runtime.addresses import all_allowed, is_loopback, is_public

PUBLIC = [
    "140.82.112.3",
    "1.1.1.1",
    "2606:50c0:8000::153",
    "::ffff:140.82.112.3",
    "64:ff9b::8c52:7003",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:8c52:7003::",
    "2002:a00:1::1",
    "2001:0:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_every_other_address_is_not_however_it_is_wrapped(address: str) -> None:
    assert not is_public(address)


def test_loopback_is_this_machine_alone() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("10.0.0.1")


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["1.1.1.1", "2606:4700::1"], True),
        (["1.1.1.1", "127.0.0.1"], False),
        (["10.0.0.1"], False),
        (["1.1.1.1", "::ffff:169.254.169.254"], False),
        ([], False),
    ],
)
def test_one_bad_address_among_good_ones_is_enough_to_refuse(addresses: list[str], expected: bool) -> None:
    assert all_allowed(addresses, loopback=False) is expected


def test_what_is_read_as_this_machine_must_be_it() -> None:
    assert all_allowed(["127.0.0.1", "::1"], loopback=True)
    assert not all_allowed(["127.0.0.1", "1.1.1.1"], loopback=True)
