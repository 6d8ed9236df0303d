"""How a repository hangs together: sizes as rectangles, the most connected files, who calls a definition."""

import re

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.support import ui_samples as samples
from tests.support.accessibility import violations
from tests.support.api_stand_in import Json, Scripted, StandIn

_MEASURES = {"lines": 900, "functions": 30, "complexity": 120}
_LINK = {"kind": "call", "kind_of_symbol": "method", "symbol_line": 12, "confidence": 0.85, "level": "inferred"}


def a_place(path: str, size: int, language: str, *, is_file: bool) -> Json:
    told = {"path": path, "name": path.rpartition("/")[2], "is_file": is_file, "files": 1, "size": size}
    return {**told, **_MEASURES, "language": language}


def linked(api: StandIn) -> Scripted:
    analysis = samples.complete(api)
    top = [("src", 300_000, "python", False), ("docs", 200_000, "rst", False), ("tests", 150_000, "python", False)]
    top += [
        ("examples", 40_000, "python", False),
        ("<b>.md", 30_000, "markdown", True),
        ("uv.lock", 9_000, "toml", True),
    ]
    found = [a_place(path, size, language, is_file=is_file) for path, size, language, is_file in top]
    analysis.told["treemap"] = {"folder": "", "items": found, "total": 6}
    inside = [a_place(f"src/{name}.py", 9_000 * n, "python", is_file=True) for n, name in enumerate(("cli", "app"), 1)]
    analysis.told["treemap?src"] = {"folder": "src", "items": inside, "total": 2}
    ends = {"imports": 12, "imported_by": 6, "calls": 7, "called_by": 47, **_MEASURES, "most_complex": 9}
    files = [{"path": samples.APP, **ends}, {"path": "src/flask/__init__.py", **ends, "functions": 0}]
    edges = [{"source": "tests", "target": "src", "imports": 40, "calls": 60}]
    analysis.told["modules"] = {"items": [*edges, {"source": "docs", "target": "src", "imports": 1, "calls": 0}]}
    analysis.told["modules?src"] = {
        "items": [{"source": "src/cli.py", "target": "src/app.py", "imports": 1, "calls": 3}]
    }
    analysis.sources["src/app.py"] = "import os\nvalue = 1\n"
    one = {"path": "src/app.py", "line": 1, "written": "import os", "module": "os", "name": "", "alias": ""}
    one |= {"resolution": "standard", "target": "os", "confidence": 0.95}
    other = {**one, "path": "src/cli.py", "module": "src.app", "resolution": "file", "target": "src/app.py"}
    analysis.told["imports"] = {"items": [one], "total": 1, "next": None}
    analysis.told["imported-by"] = {"items": [other], "total": 1, "next": None}
    analysis.told["connections"] = {"items": files, "next": None}
    symbol = {"id": "0-7", "path": samples.APP, "kind": "method", "name": "run", "qualified_name": "Flask.run"}
    more = {"signature": "def run(self)", "docstring": "", "first_line": 3, "last_line": 9, "visibility": "public"}
    facts = {"complexity": 14, "code_lines": 50}
    analysis.told["symbols"] = {"items": [{**symbol, **more, **facts}], "total": 1, "next": None}
    caller = {
        "path": "src/flask/cli.py",
        "line": 12,
        "symbol_id": "0-9",
        "name": "main",
        "symbol_path": "src/flask/cli.py",
    }
    analysis.told["symbols/0-7/callers"] = {"items": [{**_LINK, **caller}], "total": 1, "next": None}
    analysis.told["symbols/0-7/callees"] = {"items": [], "total": 0, "next": None}
    return analysis


def test_sizes_connections_and_callers_are_shown_on_demand(page: Page, api: StandIn) -> None:
    analysis = linked(api)
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.get_by_role("heading", name="How it hangs together")).to_be_visible()
    page.get_by_text("Show the map, sizes, connections and callers").click()
    expect(page.locator(".rs-box")).to_have_count(6)
    expect(page.locator(".rs-box").first).to_have_attribute(
        "title", "src: 1 file, 300,000 bytes, 900 lines, python, 30 functions, complexity 120"
    )
    expect(page.locator(".rs-needs tbody td:first-child").first).to_have_text(samples.APP)

    page.get_by_label("Definition begins with").fill("run")
    page.get_by_label("Definition begins with").press("Enter")
    expect(page.locator("h3.rs-manifest", has_text="Used by 1")).to_be_visible()
    expect(page.get_by_role("cell", name="inferred (0.85)")).to_be_visible()
    expect(page.get_by_text("complexity 14")).to_be_visible()


def test_no_name_of_the_map_is_cut_off_at_its_edge(page: Page, api: StandIn) -> None:
    analysis = linked(api)
    items = analysis.told["treemap"]["items"]
    items += [a_place(f"a-rather-long-name-{n}.config.ts", 9_000, "typescript", is_file=True) for n in range(12)]
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_text("Show the map, sizes, connections and callers").click()
    names = page.locator(".node text:not(.covered)")
    expect(names.first).to_be_visible()

    edges = page.locator(".map svg").bounding_box()
    assert edges is not None
    for box in filter(None, (name.bounding_box() for name in names.all())):
        assert box["x"] >= edges["x"]
        assert box["x"] + box["width"] <= edges["x"] + edges["width"]
    assert len(names.all()) > 3


def test_rectangles_are_coloured_by_how_often_their_files_changed(page: Page, api: StandIn) -> None:
    analysis = linked(api)
    for item, changes in zip(analysis.told["treemap"]["items"], (120, 14, 40, 0, 3, 1), strict=True):
        item["changes"] = changes
    analysis.view["history"] = {"commits": 200, "complete": False, "contributors": 4, "files_changed": 60}
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_text("Show the map, sizes, connections and callers").click()
    expect(page.locator(".rs-box.rs-tone-0").first).to_be_visible()

    page.get_by_text("By changes", exact=True).click()

    expect(page.locator(".rs-box.rs-heat-4")).to_have_count(2)
    expect(page.locator(".rs-box.rs-heat-0")).to_have_attribute("title", re.compile("^examples"))
    expect(page.locator(".rs-box").first).to_have_attribute("title", re.compile("120 changes of its files$"))
    expect(page.locator(".rs-key", has_text="no change")).to_be_visible()
    expect(page.get_by_text("by the newest 200 commits, merges aside")).to_be_visible()
    assert violations(page) == []


def told_overview(analysis: Scripted) -> Json:
    modules = "- **`src/flask`**: 24 files of code. Most used of it: class `Flask` [src/flask/app.py:110-114]"
    sections = [
        {"key": "what", "title": "What it is", "text": f"> {samples.HOSTILE_NAME.replace('[', chr(92) + '[')}"},
        {"key": "modules", "title": "Main modules and how they talk", "text": modules},
    ]
    link = {
        "source": "src/flask",
        "target": "src/flask/json",
        "imports": 12,
        "calls": 3,
        "path": samples.APP,
        "line": 3,
    }
    return {
        "analysis_id": analysis.id,
        "repository_id": analysis.view["repository_id"],
        "name": "pallets/flask",
        "url": "https://github.com/pallets/flask",
        "commit": samples.COMMIT,
        "has_graph": True,
        "sections": sections,
        "modules": [],
        "links": [link],
        "diagram": 'flowchart LR\n  m0["src/flask"]',
        "citations": [{"path": samples.APP, "first_line": 110, "last_line": 114}],
        "questions": ["How does Flask work, and who uses it?"],
        "markdown": "# pallets/flask\n",
    }


def test_the_overview_is_told_with_its_lines_its_map_and_first_questions(
    page: Page, api: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "models", ["openai:m"])
    analysis = linked(api)
    analysis.told["overview"] = told_overview(analysis)
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    told = page.locator("article.answer")
    expect(told).to_contain_text("told from facts alone, no model")
    expect(told.locator("img")).to_have_count(0)
    page.get_by_text("Map of the modules").click()
    expect(page.get_by_role("cell", name="src/flask/json")).to_be_visible()
    expect(page.get_by_text('m0["src/flask"]')).to_be_visible()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Markdown").click()
    assert saving.value.path().read_text() == "# pallets/flask\n"
    told.locator(".chip").click()
    expect(page.locator(".rs-cited")).to_have_count(5)

    page.get_by_role("button", name="Write it out").click()
    expect(page.locator(".rs-question")).to_have_text("What is it?")
    page.goto(f"/chat?analysis={analysis.id}")
    page.get_by_role("button", name="How does Flask work, and who uses it?").click()
    expect(page.locator(".rs-question")).to_have_text("How does Flask work, and who uses it?")


def test_the_map_leads_into_a_folder_and_opens_a_file_with_its_imports(page: Page, api: StandIn) -> None:
    analysis = linked(api)
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_text("Show the map, sizes, connections and callers").click()

    expect(page.locator(".node")).to_have_count(6)
    expect(page.locator("path.edge")).to_have_count(2)
    expect(page.locator(".rs-keys").filter(has_text="Markdown")).to_contain_text("Python")
    before = page.locator("svg[role=group]").get_attribute("viewBox")
    page.get_by_role("button", name="Closer").click()
    assert page.locator("svg[role=group]").get_attribute("viewBox") != before
    page.get_by_role("button", name="All of it").click()
    assert page.locator("svg[role=group]").get_attribute("viewBox") == before
    page.get_by_role("button", name="src/: src:").focus()
    expect(page.locator(".say").filter(has_text="in: 41 imports, 60 calls")).to_be_visible()
    page.keyboard.press("Enter")

    expect(page.locator(".node")).to_have_count(2)
    page.locator(".node", has_text="app.py").click()
    expect(page.locator(".rs-source")).to_contain_text("value = 1")
    expect(page.locator("h3.rs-manifest", has_text="Imports 1")).to_be_visible()
    expect(page.locator("h3.rs-manifest", has_text="Imported by 1")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="src/cli.py").get_by_role("link", name="1")).to_be_visible()


def test_a_sight_has_an_address_and_is_come_back_to(page: Page, api: StandIn) -> None:
    analysis = linked(api)
    analysis.told["treemap?src"]["total"] = 700
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_text("Show the map, sizes, connections and callers").click()
    page.locator("a.rs-box", has_text="src/").click()
    expect(page.get_by_text("698 smaller ones are not drawn")).to_be_visible()
    page.locator("a.rs-box").first.press("Enter")
    expect(page.locator(".rs-source")).to_contain_text("value = 1")
    page.get_by_label("Definition begins with").fill("run")
    page.get_by_label("Definition begins with").press("Enter")
    expect(page.get_by_text("complexity 14")).to_be_visible()
    page.wait_for_url(re.compile(r"folder=src&file=src%2Fapp\.py&definition=run&symbol=0-7"))

    page.reload()
    expect(page.locator(".rs-source")).to_contain_text("value = 1")
    expect(page.get_by_text("complexity 14")).to_be_visible()
    analysis.sources["src/flask/cli.py"] = "\n".join(f"line {n}" for n in range(1, 30))
    page.get_by_role("row").filter(has_text="inferred (0.85)").get_by_role("link").click()
    expect(page.locator(".rs-cited")).to_contain_text("line 12")
    expect(page.get_by_text("complexity 14")).to_be_visible()  # what else was open stays open
    expect(page.locator(".rs-cited a")).to_have_attribute(
        "href", re.compile(r"open=src%2Fflask%2Fcli.py%3A12&.*symbol=")
    )
    page.go_back()
    expect(page.get_by_text("complexity 14")).to_be_visible()
    assert violations(page) == []


def test_a_line_opens_where_no_manifest_is_and_files_show_without_the_graph(page: Page, api: StandIn) -> None:
    analysis = linked(api)
    analysis.view["metadata"] = {}
    for stage in analysis.view["stages"]:
        if stage["stage"] == "link":
            stage["state"] = "cancelled"
    page.goto(f"/analysis?analysis={analysis.id}&open=src/app.py:2-2")
    expect(page.locator(".rs-cited")).to_contain_text("value = 1")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(".rs-cited")).to_have_count(0)

    page.get_by_text("Show the map, sizes, connections and callers").click()
    expect(page.get_by_text("calls were not linked")).to_be_visible()
    expect(page.locator(".rs-box")).to_have_count(6)
    expect(page.locator(".node")).to_have_count(0)
    page.get_by_label("Definition begins with").fill("run")
    page.get_by_label("Definition begins with").press("Enter")
    expect(page.get_by_text("complexity 14")).to_be_visible()
    expect(page.locator("h3.rs-manifest", has_text="Used by")).to_have_count(0)


def test_no_name_on_the_map_lies_over_another_until_it_is_pointed_at(page: Page, api: StandIn) -> None:
    analysis = linked(api)
    names = [f"a_rather_long_name_{n:02}" for n in range(24)]
    places = [a_place(name, 90_000 - n, "python", is_file=False) for n, name in enumerate(names)]
    analysis.told["treemap"] = {"folder": "", "items": places, "total": len(places)}
    edges = [{"source": names[n], "target": names[n // 2], "imports": n, "calls": 0} for n in range(1, 24)]
    analysis.told["modules"] = {"items": edges}
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/analysis?analysis={analysis.id}&symbol=0-7")
    shown = page.locator(".node text:not(.covered)")
    covered = page.locator(".node text.covered")
    expect(covered.first).to_be_attached()

    boxes = [box for n in range(shown.count()) if (box := shown.nth(n).bounding_box()) is not None]
    assert 1 < len(boxes) < len(names)
    assert [(a, b) for n, a in enumerate(boxes) for b in boxes[:n] if _overlap(a, b)] == []

    page.locator(".node:has(text.covered)").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(covered.first).to_have_css("visibility", "visible")


def _overlap(a: FloatRect, b: FloatRect) -> bool:
    """Whether two boxes share more than their edges' strokes."""
    across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return across > 3 and down > 3
