import pytest

from runtime.sealing import Sealer, fresh_key


def test_what_was_sealed_is_opened_and_does_not_show() -> None:
    sealed = Sealer(fresh_key()).seal(b"a secret")
    assert b"a secret" not in sealed
    with pytest.raises(ValueError, match="lacks the key"):
        Sealer(fresh_key()).open(sealed)


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old, new = fresh_key(), fresh_key()
    sealed = Sealer(old).seal(b"kept")
    both = Sealer(f"{new}, {old}")
    assert both.open(sealed) == b"kept"
    assert Sealer(new).open(both.seal(b"fresh")) == b"fresh"


def test_a_value_that_was_changed_is_not_opened() -> None:
    sealer = Sealer(fresh_key())
    sealed = bytearray(sealer.seal(b"a secret"))
    sealed[20] ^= 1
    with pytest.raises(ValueError, match="cannot be opened"):
        sealer.open(bytes(sealed))


@pytest.mark.parametrize("keys", ["", " , ", "short", "x" * 44])
def test_a_malformed_key_is_named_by_its_setting_and_not_repeated(keys: str) -> None:
    with pytest.raises(ValueError, match="REPOSTREAM_SECRET_KEY") as raised:
        Sealer(keys)
    assert keys.strip(" ,") == "" or keys not in str(raised.value)
