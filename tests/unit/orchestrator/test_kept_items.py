import json

from orchestrator.adapters.kept_items import KeptItems, page_of


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_item_is_kept_for_as_long_as_it_would_be_made_of_the_same() -> None:
    kept = KeptItems()
    kept.keep("a", ("a", 1), b'{"version":1}')

    assert kept.get("a", ("a", 1)) == b'{"version":1}'
    assert kept.get("a", ("a", 2)) is None
    assert kept.get("b", ("a", 1)) is None

    kept.keep("a", ("a", 2), b'{"version":2}')
    assert kept.get("a", ("a", 1)) is None
    assert kept.get("a", ("a", 2)) == b'{"version":2}'


def test_no_item_is_shown_or_kept_past_its_time() -> None:
    clock = Clock()
    kept = KeptItems(seconds=50, clock=clock)
    kept.keep("a", 1, b"1")
    clock.now += 49
    assert kept.get("a", 1) == b"1"
    clock.now += 2
    assert kept.get("a", 1) is None
    kept.forget()
    clock.now -= 2
    assert kept.get("a", 1) is None  # it is gone, not only hidden


def test_the_oldest_items_make_room() -> None:
    kept = KeptItems(capacity=2)
    for number in range(3):
        kept.keep(number, number, str(number).encode())
    assert [kept.get(number, number) for number in range(3)] == [None, b"1", b"2"]


def test_a_page_of_items_is_json() -> None:
    assert json.loads(page_of([], None)) == {"items": [], "next": None}
    assert json.loads(page_of([b'{"a":1}', b"2"], "eyJ-_")) == {"items": [{"a": 1}, 2], "next": "eyJ-_"}
