"""What processes share of searches is sealed: only who asks the same, of the same, can open it, for a while."""

from uuid import UUID

from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.shared_memory import MOST_BYTES, PLACES, SECONDS, Entry, entries_name, entry_of

KEY, TENANT, ANALYSIS = b"k" * 32, UUID(int=1), UUID(int=2)


def an_entry(asked: str = "who calls send?", *, key: bytes = KEY, tenant: UUID = TENANT) -> Entry:
    return entry_of(key, tenant, ANALYSIS, asked)


@given(st.binary(max_size=2_000), st.text(max_size=40), st.text(max_size=40))
def test_only_the_same_question_opens_what_was_sealed(value: bytes, asked: str, other: str) -> None:
    sealed = an_entry(asked).seal(value)

    assert an_entry(asked).open(sealed) == value
    assert other == asked or an_entry(other).open(sealed) is None
    assert an_entry(asked, key=b"another").open(sealed) is None
    assert an_entry(asked, tenant=UUID(int=3)).open(sealed) is None


@given(st.text(max_size=60))
def test_a_name_tells_whose_it_is_and_nothing_of_what_was_asked(asked: str) -> None:
    entry = an_entry(asked)

    assert entry.name == entries_name(TENANT, ANALYSIS) == f"found.{TENANT}.{ANALYSIS}"
    assert 0 <= int(entry.place) < PLACES
    assert entry.lease.startswith(f"{entry.name}.lease.")
    assert len(entry.lease) == len(entry.name) + len(".lease.") + 32
    assert entry.lease != an_entry(f"{asked}?").lease


def test_what_is_old_damaged_too_large_or_not_there_is_not_given() -> None:
    entry = an_entry()
    old = entry.tag + Fernet(entry.key).encrypt_at_time(b"x", current_time=1_000_000)
    sealed = entry.seal(b"x")

    assert sealed is not None
    unpacked, untagged = entry.tag + Fernet(entry.key).encrypt(b"x"), sealed.removeprefix(entry.tag)
    assert [entry.open(one) for one in (None, b"", old, sealed[:-5], unpacked, untagged)] == [None] * 6
    assert entry.seal(bytes(range(256)) * 10) is not None
    assert entry.seal(b"".join(i.to_bytes(4) for i in range(MOST_BYTES))) is None
    assert SECONDS <= 600
