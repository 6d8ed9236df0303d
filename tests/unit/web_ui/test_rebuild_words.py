"""A rebuild as people read it."""

from tests.unit.cli.test_rebuild import a_rebuild
from web_ui.rebuilds import conclusion, rows


def test_each_end_of_a_rebuild_has_its_sentence() -> None:
    assert conclusion(a_rebuild()) == "Every row is what the log says."
    assert conclusion(a_rebuild(2)) == "Some rows are not what the log says."
    assert conclusion(a_rebuild(2, replace=True)) == "What differed was replaced."
    assert "You may leave the page" in conclusion(a_rebuild(state="asked"))
    assert conclusion(a_rebuild(state="failed", message="It broke.")) == "It broke."


def test_a_table_says_how_many_rows_it_had_and_has_and_whether_they_are_the_same() -> None:
    said = {"Table": "symbols", "Rows": 1_200, "Built again": 1_204}

    assert rows(a_rebuild()) == [said | {"Compared": "the same"}]
    assert rows(a_rebuild(2)) == [said | {"Compared": "differed for 2"}]
