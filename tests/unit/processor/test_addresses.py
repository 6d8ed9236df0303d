import pytest

from processor.adapters.addresses import pinned
from runtime.addresses import is_loopback, is_public
from runtime.faults import Cancelled, Permanent, Transient
from tests.support.jobs import QuietWatch

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


def test_a_host_is_pinned_to_all_its_addresses() -> None:
    pin = pinned("h.example", 443, loopback=False, watch=QuietWatch(), resolver=lambda *_: ["1.1.1.1", "2606:4700::1"])

    assert pin == "h.example:443:1.1.1.1,[2606:4700::1]"


@pytest.mark.parametrize(
    "addresses", [["1.1.1.1", "127.0.0.1"], ["10.0.0.1"], ["1.1.1.1", "::ffff:169.254.169.254"], []]
)
def test_one_bad_address_among_good_ones_is_enough_to_refuse(addresses: list[str]) -> None:
    with pytest.raises(Permanent) as caught:
        pinned("h.example", 443, loopback=False, watch=QuietWatch(), resolver=lambda *_: addresses)

    assert caught.value.code == "host_not_allowed"
    assert not any(address in caught.value.message for address in addresses)


def test_what_is_read_as_this_machine_must_be_it() -> None:
    with pytest.raises(Permanent):
        pinned("localhost", 80, loopback=True, watch=QuietWatch(), resolver=lambda *_: ["127.0.0.1", "1.1.1.1"])


def test_a_name_that_does_not_resolve_is_tried_again_later() -> None:
    def fails(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(Transient) as caught:
        pinned("h.example", 443, loopback=False, watch=QuietWatch(), resolver=fails)

    assert caught.value.code == "host_unreachable"


def test_a_resolver_that_hangs_does_not_keep_a_cancelled_run() -> None:
    import threading

    release = threading.Event()

    def hangs(_host: str, _port: int) -> list[str]:
        release.wait(10)
        return []

    try:
        with pytest.raises(Cancelled):
            pinned("h.example", 443, loopback=False, watch=QuietWatch(stop=True), resolver=hangs)
    finally:
        release.set()
