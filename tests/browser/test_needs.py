"""The dependencies of an analysis: by manifest and scope, and the line that a manifest names them on."""

from playwright.sync_api import Page, expect

from tests.support import ui_samples as samples
from tests.support.api_stand_in import Scripted, StandIn

MANIFEST = '[project]\nname = "flask"\ndependencies = [\n  "werkzeug>=3",\n  "<script>alert(1)</script>",\n]\n'


def described(api: StandIn) -> Scripted:
    """An analysis with dependencies of two manifests, a lock file, and a manifest that cannot be read."""
    analysis = samples.complete(api)
    bad = [{"path": "old/pom.xml", "reason": "a document type is not read"}]
    analysis.view["metadata"] = {
        "dependencies_found": 3,
        "transitive_found": 300,
        "ecosystems": {"python": 2, "docker": 1},
        "scopes": {"transitive": 300, "runtime": 3, "dev": 1},
        "unreadable_manifests": bad,
    }
    analysis.sources["pyproject.toml"] = MANIFEST
    analysis.needs += [
        {"name": "ruff", "scope": "dev", "group": "lint", "path": "pyproject.toml", "line": 9, "version": "0.14.1"},
        {"name": "werkzeug", "scope": "runtime", "path": "pyproject.toml", "line": 4, "constraint": ">=3"},
        {"name": "<script>alert(1)</script>", "scope": "runtime", "path": "pyproject.toml", "line": 5},
        {"name": "node", "scope": "build", "ecosystem": "docker", "path": "Dockerfile", "line": 1, "constraint": "20"},
    ]
    analysis.needs += [
        {"name": f"p{n}", "scope": "transitive", "path": "uv.lock", "line": n, "version": "1", "locked": True}
        for n in range(300)
    ]
    return analysis


def test_dependencies_are_listed_by_manifest_and_scope_and_a_line_is_opened(page: Page, api: StandIn) -> None:
    analysis = described(api)
    page.goto(f"/analysis?analysis={analysis.id}")

    expect(page.get_by_role("heading", name="Dependencies")).to_be_visible()
    expect(page.get_by_text("300 more that these bring along")).to_be_visible()
    page.get_by_text("List the dependencies").click()
    expect(page.locator("h3.rs-manifest")).to_have_text(
        ["pyproject.toml · python · 3", "Dockerfile · docker · 1", "uv.lock · lock file · 196"]
    )
    expect(page.locator(".rs-needs").first.locator("tbody td:first-child")).to_have_text(
        ["werkzeug", "<script>alert(1)</script>", "ruff"]
    )
    expect(page.get_by_text("a document type is not read")).to_be_visible()
    expect(page.locator(".rs-needs").nth(2).locator("a")).to_have_count(0)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("h3.rs-manifest").last).to_have_text("uv.lock · lock file · 300")

    page.locator(".rs-needs a").first.click()
    expect(page.locator(".rs-source .rs-cited")).to_contain_text('"werkzeug>=3"')
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".rs-source")).to_have_count(0)


def test_dependencies_are_narrowed_by_name(page: Page, api: StandIn) -> None:
    analysis = described(api)
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_text("List the dependencies").click()

    page.get_by_label("Name begins with").fill("werk")
    page.get_by_label("Name begins with").press("Enter")

    expect(page.locator("h3.rs-manifest")).to_have_text(["pyproject.toml · python · 1"])
    page.get_by_label("Name begins with").fill("nothing-like-it")
    page.get_by_label("Name begins with").press("Enter")
    expect(page.get_by_text("None of that kind.")).to_be_visible()


def test_the_list_of_dependencies_is_no_wider_than_a_phone(page: Page, api: StandIn) -> None:
    analysis = described(api)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/analysis?analysis={analysis.id}")
    page.get_by_text("List the dependencies").click()
    expect(page.locator("h3.rs-manifest").first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
