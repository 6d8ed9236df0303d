"""Events: what the log recorded of one analysis, in order."""

import streamlit as st

from runtime.client.shapes import AnalysisView, Envelope
from web_ui import markup, views
from web_ui.components import browser, frame
from web_ui.session import attempt, chosen_analysis, client

_PAGE = 500
_PAGES = 20


def history(analysis: AnalysisView) -> list[Envelope] | None:
    """The analysis' events so far; None, and the problem shown, where they cannot be had."""
    found: list[Envelope] = []
    stream, cursor = f"analysis/{analysis.analysis_id}", None
    for _ in range(_PAGES):
        page = attempt(lambda at=cursor: client().events_listed(stream_id=stream, cursor=at, limit=_PAGE))  # type: ignore[misc]  # a default binds the cursor of this round
        if page is None:
            return None
        found.extend(page.items)
        cursor = page.next
        if cursor is None:
            break
    return found


def show() -> None:
    """Draw the page."""
    analysis = chosen_analysis()
    frame.top(analysis, "events")
    if analysis is None:
        return
    frame.heading(analysis)
    stream = markup.span("code", f"analysis/{analysis.analysis_id}")
    st.html(f'<div class="rs-facts">The log\'s own record, in its order. Stream&nbsp;{stream}</div>')
    events = history(analysis)
    if events is not None:
        data: dict[str, object] = {
            "analysis_id": analysis.analysis_id,
            "items": views.event_rows(events),
            "live": not views.is_over(analysis),
        }
        browser.event_list(data, key=f"events-{analysis.analysis_id}")


show()
