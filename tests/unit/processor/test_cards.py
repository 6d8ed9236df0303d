"""What linking holds: cards of files of which a few are open, and numbers by hashes of names."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.linking import cards
from processor.linking.cards import Cards
from processor.linking.files import Files
from processor.linking.name_index import NameIndex
from processor.linking.symbols import Definition, Symbols


class Card(NamedTuple):
    names: list[str]
    numbers: dict[str, float]


NONE = Card([], {})


def test_a_card_is_read_as_it_was_put_and_a_file_without_one_has_none() -> None:
    held = Cards(3, Card, NONE)
    held.put(1, ["größe", "\0"], {"a": 0.85})

    assert held[1] == Card(["größe", "\0"], {"a": 0.85})
    assert held[2] is NONE


def test_a_file_is_told_of_once() -> None:
    held = Cards(1, Card, NONE)
    held.put(0, [], {})

    with pytest.raises(ValueError, match="twice"):
        held.put(0, [], {})


def test_only_so_many_bytes_of_cards_are_open_and_those_that_were_closed_open_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[list[str]] = []

    def reading(names: list[str]) -> list[str]:
        read.append(names)
        return names

    monkeypatch.setattr(cards, "_MOST_OPEN", 60)
    held = Cards(4, reading, [])
    for file in range(4):
        held.put(file, [f"name{file}"])

    assert [held[file] for file in (0, 0, 1, 2, 3, 3, 0)] == [[f"name{file}"] for file in (0, 0, 1, 2, 3, 3, 0)]
    assert read == [["name0"], ["name1"], ["name2"], ["name3"], ["name0"]]


@given(st.lists(st.sampled_from("abc")), st.booleans())
def test_numbers_come_back_in_the_order_they_were_added_whatever_shares_their_hash(
    added: list[str], same_hash: bool
) -> None:
    def key(name: str) -> "_Key":
        return _Key(name, 1 if same_hash else ord(name))

    index = NameIndex()
    for number, name in enumerate(added):
        index.add(key(name), number)
    index.close()

    for name in "abc":
        found = [number for number in index.get(key(name)) if added[number] == name]
        assert found == [number for number, each in enumerate(added) if each == name]


class _Key(NamedTuple):
    name: str
    value: int

    def __hash__(self) -> int:
        return self.value


def test_definitions_come_off_their_card_as_they_were_put_on_it() -> None:
    files = Files(["a.cpp", "b.cpp"], ["cpp", "cpp"])
    symbols = Symbols(files)
    symbols.add(0, 0, [Definition("function", "first", "first", "void first()", 0)])
    symbols.add(
        1,
        3,
        [
            Definition("declaration", "go", "Dog::go", "void go();", 0),
            Definition("class", "Dog", "Dog", "class Dog", 1),
            Definition("method", "go", "Dog::go", "void Dog::go()", 2),
            Definition("method", "operator==", "Dog::(anonymous)", "", 4),  # a name that its full name does not end in
            Definition("function", "", "größe", "", 5),
        ],
    )
    symbols.close()

    assert [symbols.name(n) for n in range(1, 6)] == ["go", "Dog", "go", "operator==", ""]
    assert [symbols.qualified(n) for n in range(1, 6)] == ["Dog::go", "Dog", "Dog::go", "Dog::(anonymous)", "größe"]
    assert symbols.in_file(1) == {"Dog::go": 3, "Dog": 2, "Dog::(anonymous)": 4, "größe": 5}
    assert list(symbols.in_file(1)) == ["Dog::go", "Dog", "Dog::(anonymous)", "größe"]
    assert (symbols.signature(3), symbols.place(4)) == ("void Dog::go()", (3, 4))
    assert symbols.called(0, "go") == [1]
