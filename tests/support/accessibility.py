"""Whether a page keeps WCAG 2.2 at level AA, as far as a machine can tell: axe-core in the real browser."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

_LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_ASKED = {"runOnly": {"type": "tag", "values": _LEVELS}, "resultTypes": ["violations"]}
_REDRAWN = 400  # ms until colours have changed with the scheme, or what was stale is no longer pale


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands, in the dark and in the light: where, rule, impact, markup, reason."""
    found = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("[data-test-script-state=running]")).to_have_count(0)
        page.wait_for_timeout(_REDRAWN)
        for rule in Axe().run(page, options=_ASKED).response["violations"]:
            found += [
                f"{page.url} {scheme}: {rule['id']} ({rule['impact']}): {node['html'][:200]}: {node['failureSummary']}"
                for node in rule["nodes"]
            ]
    return found


def assert_accessible(page: Page) -> None:
    """That axe finds nothing on the page as it stands."""
    if found := violations(page):
        raise AssertionError("\n".join(found))
