"""How much a page moved under whoever looks at it: cumulative layout shift, as the browser itself sees it."""

from playwright.sync_api import Page

GOOD = 0.1  # what https://web.dev/articles/cls calls good
# The largest sum of a window: shifts less than a second apart, five seconds at most; not what a press brought about.
_MEASURE = """(since) => new Promise((resolve) => {
  const rows = [];
  const where = ({ node, previousRect: was, currentRect: is }) => {
    const of = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    const name = of?.closest?.("[data-testid], [class*=st-key-]") ?? of;
    const said = `${name?.dataset?.testid ?? ""} ${String(name?.className ?? "").slice(0, 60)}`;
    return `${said} ${Math.round(was.x)},${Math.round(was.y)} -> ${Math.round(is.x)},${Math.round(is.y)}`;
  };
  const take = (entries) => {
    for (const entry of entries) {
      const counts = !entry.hadRecentInput && entry.startTime >= since;
      if (counts) rows.push([entry.value, entry.startTime, [...entry.sources].map(where)]);
    }
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => {
    take(observer.takeRecords());
    observer.disconnect();
    let [most, sum, first, last] = [0, 0, 0, 0];
    for (const [value, at] of rows) {
      const goesOn = sum > 0 && at - last < 1000 && at - first < 5000;
      [sum, first, last] = [goesOn ? sum + value : value, goesOn ? first : at, at];
      most = Math.max(most, sum);
    }
    const say = ([value, at, what]) => `${value.toFixed(3)} at ${Math.round(at)} ms: ${what.join("; ")}`;
    resolve([most, rows.filter(([value]) => value > 0.005).map(say)]);
  }, 0));
})"""


def layout_shift(page: Page, since: float = 0.0) -> tuple[float, list[str]]:
    """The score from `since` on, in milliseconds after the page was asked for; and what moved most, from where."""
    score, told = page.evaluate(_MEASURE, since)
    return float(score), list(told)


def jumps(page: Page, since: float) -> list[str]:
    """What is wrong with how the page was drawn since then: nothing, or its score with what moved."""
    score, told = layout_shift(page, since)
    return [f"{page.url} moved by {score:.3f}, {page.viewport_size}: {told}"] if score > GOOD else []
