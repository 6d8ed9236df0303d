from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from web_ui import words

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (59.4, "59 s"), (185, "3 min 5 s"), (7_800, "2 h 10 min")],
)
def test_a_duration_is_said_as_precisely_as_it_matters(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=14), "14 days ago"),
        (timedelta(days=40), "2026-01-20"),
    ],
)
def test_an_age_is_said_in_the_largest_unit_and_an_old_one_as_its_date(age: timedelta, said: str) -> None:
    assert words.ago(NOW - age, NOW) == said


def test_the_date_of_what_is_old_is_the_one_where_the_viewer_is() -> None:
    now = NOW.astimezone(ZoneInfo("Pacific/Auckland"))

    assert words.ago(datetime(2026, 1, 20, 13, 0, tzinfo=UTC), now) == "2026-01-21"


def test_names_that_look_alike_are_spelled_apart() -> None:
    assert words.spelled("src/é.py") == "src/é.py"
    assert words.spelled("a\u200b.py") == "a\\u200b.py"
    assert words.spelled("\u202egnp.exe") == "\\u202egnp.exe"


def test_counts_have_thousands_and_a_plural() -> None:
    assert words.count(1, "file") == "1 file"
    assert words.count(1_204, "file") == "1,204 files"
    assert words.count(2, "dependency", "dependencies") == "2 dependencies"


@pytest.mark.parametrize(("value", "said"), [(512, "512 B"), (12_400, "12 KB"), (3_440_000, "3.4 MB")])
def test_sizes_are_said_in_the_unit_that_fits(value: int, said: str) -> None:
    assert words.size(value) == said


def test_an_unknown_reason_is_said_in_its_own_words() -> None:
    assert words.reason("too_large") == "Larger than the limit for one file"
    assert words.reason("something_new") == "Something new"


@pytest.mark.parametrize("place", [("src/a.py", 3, 9), ("a:b/c d.py", 1, 1), ("näme.txt", 10, 200)])
def test_a_place_in_the_address_is_read_back_as_it_was_written(place: tuple[str, int, int]) -> None:
    assert words.read_place(words.place(*place)) == place


@pytest.mark.parametrize("text", [None, "", "a.py", "a.py:", "a.py:x-y", ":3-4", "a.py:9-3", "a.py:0-3", "a.py:-3"])
def test_what_is_no_place_is_none(text: str | None) -> None:
    assert words.read_place(text) is None


def test_marks_that_reorder_or_hide_text_are_taken_out_and_line_breaks_stay() -> None:
    assert words.visible("a\u202eb\u2066c\u200bd\x00e\n\tf\U000e0041") == "abcde\n\tf"


def test_shards_are_counted_from_one() -> None:
    assert [words.shard_named(shard) for shard in (None, 0, 2)] == ["all", "1", "3"]
