"""The graph as rows and rectangles: areas as sizes, nothing over another, words for what is known."""

from typing import Any

import pytest

from runtime.client.shapes import LinkView, ModuleEdgeView, TreemapItem
from web_ui import graph, markup


def an_item(name: str, size: int, **more: object) -> TreemapItem:
    told = {"path": f"src/{name}", "is_file": True, "files": 1, "lines": 3, "language": "python"}
    return TreemapItem.model_validate({"name": name, "size": size, **told, "functions": 2, "complexity": 7, **more})


@pytest.mark.parametrize("sizes", [[5], [4, 3, 2, 1], [1_000_000, 1, 1], [1] * 60, list(range(100, 1, -7))])
def test_areas_are_as_sizes_and_fill_the_picture(sizes: list[int]) -> None:
    boxes = graph.boxes([an_item(f"f{n}.py", size) for n, size in enumerate(sizes)])
    whole = graph.WIDTH * graph.HEIGHT

    assert [box.width * box.height / whole for box in boxes] == pytest.approx([n / sum(sizes) for n in sizes])
    assert all(0 <= box.x <= box.x + box.width <= graph.WIDTH + 1e-6 for box in boxes)
    assert all(0 <= box.y <= box.y + box.height <= graph.HEIGHT + 1e-6 for box in boxes)


def test_no_rectangle_lies_over_another() -> None:
    boxes = graph.boxes([an_item(f"f{n}", 100 - n) for n in range(40)])

    for n, one in enumerate(boxes):
        for other in boxes[n + 1 :]:
            beside = one.x + one.width <= other.x + 1e-6 or other.x + other.width <= one.x + 1e-6
            above = one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6
            assert beside or above


def test_what_is_empty_and_more_than_can_be_seen_is_left_out() -> None:
    assert graph.boxes([an_item("empty", 0)]) == []
    assert len(graph.boxes([an_item(f"f{n}", 5) for n in range(99)])) == 60


def test_a_rectangle_says_what_it_is_and_escapes_it() -> None:
    [box] = graph.boxes([an_item("<b>.py", 1_234)])

    assert box.title == "src/<b>.py: 1,234 bytes, 3 lines, python, 2 functions, complexity 7"
    drawn = markup.treemap([box.drawn("a1")])
    assert "<b>" not in drawn
    assert 'href="/analysis?analysis=a1&amp;explore=yes&amp;folder=src&amp;file=src%2F%3Cb%3E.py"' in drawn


def test_a_folder_leads_back_to_those_it_is_in() -> None:
    assert graph.above("a/b/c") == ["", "a", "a/b", "a/b/c"]
    assert graph.above("") == [""]


def test_a_link_says_how_sure_it_is() -> None:
    told = {"kind": "call", "path": "a.py", "line": 3, "symbol_id": None, "name": "", "kind_of_symbol": ""}
    link = LinkView.model_validate(
        {**told, "symbol_path": "a.py", "symbol_line": 3, "confidence": 0.5, "level": "named"}
    )

    assert graph.link_cells(link) == ("the file itself", "a.py:3", "named (0.50)")


def test_each_of_the_larger_languages_has_a_colour_of_its_own_and_the_legend_says_which() -> None:
    names = ["python", "css", "html", "rst", "toml", "yaml", "ini"]
    items = [an_item(f"f{n}", 700 - 100 * n, language=name) for n, name in enumerate(names)]

    told = graph.legend(graph.boxes([*items, an_item("LICENSE", 5, language=None)]))

    assert told == [
        ("tone-0", "Python"),
        ("tone-1", "CSS"),
        ("tone-2", "HTML"),
        ("tone-3", "reStructuredText"),
        ("tone-4", "TOML"),
        ("tone-5", "others"),
    ]
    assert graph.legend(graph.boxes([an_item("LICENSE", 5, language=None)])) == [("tone-5", "no language")]
    assert "<b>" not in markup.legend([("tone-0", "<b>")])


def test_what_changed_more_often_is_warmer_and_the_legend_says_what_was_measured() -> None:
    changed = {"never.py": 0, "once.py": 1, "five.py": 5, "some.py": 9, "much.py": 40, "most.py": 80}
    items = [an_item(name, 1_000 - n, changes=changes) for n, (name, changes) in enumerate(changed.items())]
    items.append(an_item("folder", 3, is_file=False, files=10, changes=95))

    boxes = graph.boxes(items, by_changes=True)

    tones = {box.item.name: int(box.tone.removeprefix("heat-")) for box in boxes}
    assert tones == {"never.py": 0, "once.py": 1, "five.py": 2, "some.py": 3, "folder": 3, "much.py": 4, "most.py": 4}
    assert graph.churn_legend(boxes) == [
        ("heat-0", "no change"),
        ("heat-1", "1 change a file"),
        ("heat-2", "5 changes a file"),
        ("heat-3", "9 to 9.5 changes a file"),
        ("heat-4", "40 to 80 changes a file"),
    ]
    assert boxes[-1].title.endswith(", 95 changes of its files")
    assert {box.tone for box in graph.boxes(items[:1], by_changes=True)} == {"heat-0"}


def test_a_map_has_the_most_connected_and_says_how_many_are_not_drawn() -> None:
    items = [an_item(f"f{n:02}", 1_000 - n) for n in range(42)]
    edge = ModuleEdgeView(source="src/f41", target="src/f00", imports=2, calls=3)

    told: dict[str, Any] = graph.map_data(items, [edge])

    assert [node["path"] for node in told["nodes"]][:3] == ["src/f00", "src/f41", "src/f01"]
    assert len(told["nodes"]) == 40
    assert told["edges"] == [{"source": "src/f41", "target": "src/f00", "imports": 2, "calls": 3}]
    assert told["hint"].endswith(" 2 more with fewer ends are not drawn.")
