"""What the page says of generations that are kept."""

from zoneinfo import ZoneInfo

from tests.unit.cli.test_rollback import NEW, OLD, kept, one
from web_ui.generations import choices, label, sentence

TOKYO = ZoneInfo("Asia/Tokyo")


def test_where_there_is_no_choice_nothing_is_said() -> None:
    assert sentence(kept()) == sentence(kept(one(NEW, "new", serves=True))) == ""
    assert sentence(kept(one(NEW, "new", serves=True), one(OLD, "old", asked=False))) == ""
    assert sentence(kept(one(NEW, "new", serves=True), one(OLD, "new"))) == ""  # the same, made again


def test_the_model_that_serves_is_named_and_the_way_to_the_other_one() -> None:
    before = kept(one(NEW, "new", serves=True), one(OLD, "old"))
    after = kept(one(OLD, "old", serves=True), one(NEW, "new"))

    assert sentence(before) == "Searched by the vectors of new."
    assert [label(each, "new", TOKYO) for each in choices(before)] == [
        "Go back to old (kept until 2026-01-03 19:20 JST)"
    ]
    assert sentence(after) == "Searched by the vectors of old, though new is set."
    assert [label(each, "new", TOKYO) for each in choices(after)] == [
        "Go forward to new (kept until 2026-01-03 19:20 JST)"
    ]
