"""Timeline and graph of causes of a long history: how smoothly they are dragged and zoomed in Chromium.

    python -m bench pictures [--events 5000] [--seconds 5]

The pages are the real ones, behind them the API's double. Everything is in view: the worst case, since what is outside
is not drawn. A frame counts when the browser asks for the next one; with nothing else to do that is 60 a second.
"""

import argparse
import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.support import ui_samples as samples
from tests.support.api_stand_in import Scripted, StandIn
from tests.support.chromium import chromium_running
from tests.support.site import serving_pages

RESULT = Path(__file__).parent / "results" / "pictures.md"
_STAGES = ("parse", "embed", "refine")
# Drags to and fro and zooms in and out, once a frame, as a hand would; the milliseconds between one frame and the next.
_MOVE = """(canvas, seconds) => new Promise((done) => {
  const { left, top, width, height } = canvas.getBoundingClientRect(), gaps = [];
  const tell = (name, x, y) => canvas.dispatchEvent(new PointerEvent(name,
    { pointerId: 1, clientX: left + x, clientY: top + y, bubbles: true, isPrimary: true }));
  canvas.setPointerCapture = () => {};
  tell("pointerdown", width / 2, height / 2);
  let last = performance.now(), n = 0;
  const until = last + seconds * 1000;
  const step = (now) => {
    gaps.push(now - last); last = now; n += 1;
    if (now > until) { tell("pointerup", 0, 0); done(gaps.slice(1)); return; }
    tell("pointermove", width / 2 + 40 * Math.sin(n / 9), height / 2 + 25 * Math.cos(n / 7));
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: n % 40 < 20 ? 3 : -3, ctrlKey: true,
      clientX: left + width / 2, clientY: top + height / 2, cancelable: true }));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


_COLOURS = """c => new Set(new Uint32Array(
  c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size"""


@dataclass(frozen=True)
class Figure:
    """One picture: until it was drawn (seconds), and the milliseconds between frames while it was moved."""

    view: str
    drawn: float
    gaps: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Frames a second, over the whole time."""
        return 1_000 * len(self.gaps) / sum(self.gaps)


def main() -> None:
    """Measure, print and write it down."""
    parser = argparse.ArgumentParser(prog="python -m bench pictures", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with StandIn() as api, serving_pages(api.url) as url, chromium_running() as browser:
        analysis = _drawn(api, options.events)
        page = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(120_000)
        idle = _idle(page)
        figures = [_measure(page, analysis, view, options.seconds) for view in ("timeline", "causes")]
        report = _report(len(analysis.events), figures, idle, load)
    print(report)
    RESULT.write_text(report)


def _drawn(api: StandIn, events: int) -> Scripted:
    """An analysis of at least so many events: runs of shards, each asked for, begun and ended."""
    analysis = samples.running(api)
    shards = -(-events // (3 * len(_STAGES)))
    for stage in _STAGES:
        for shard in range(shards):
            analysis.run(stage, seconds=0.5, files=20, shard=shard, shards=shards)
    return analysis


def _idle(page: Page) -> float:
    """Frames a second of an empty page: what the browser does at best here."""
    page.goto("/healthz")
    gaps = page.evaluate(
        "() => new Promise(done => { const at = []; const f = now => at.length < 120 ? "
        "(at.push(now), requestAnimationFrame(f)) : done(at.at(-1) - at[0]); requestAnimationFrame(f); })"
    )
    return 1_000 * 119 / float(gaps)


def _measure(page: Page, analysis: Scripted, view: str, seconds: float) -> Figure:
    began = time.perf_counter()
    page.goto(f"/events?analysis={analysis.id}&view={view}")
    canvas = page.locator("canvas:visible")
    canvas.wait_for()
    while canvas.evaluate(_COLOURS) <= 3:
        page.wait_for_timeout(50)
    drawn = time.perf_counter() - began
    gaps = canvas.evaluate(_MOVE, seconds)
    return Figure(view, drawn, tuple(gaps))


def _report(events: int, figures: list[Figure], idle: float, load: float) -> str:
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    rows = "\n".join(
        f"| {each.view} | {each.drawn:.1f} s | **{each.rate:.0f}** | {statistics.median(each.gaps):.0f} ms |"
        f" {statistics.quantiles(each.gaps, n=20)[-1]:.0f} ms | {max(each.gaps):.0f} ms |"
        for each in figures
    )
    return f"""# Pictures of a long history

`python -m bench pictures` on {machine}, {time.strftime("%Y-%m-%d")}; load average before it: {load:.1f}.
{events:,} events, all in view, dragged and zoomed in headless Chromium, whose drawing is done by these cores, too; an
empty page has {idle:.0f} frames a second here. Aimed at: 30.

| picture | opened until drawn | frames a second | between two, median | p95 | longest |
|---|---|---|---|---|---|
{rows}
"""
