"""Events: what the log recorded of one analysis, in order."""

import streamlit as st

from web_ui import markup, views
from web_ui.components import browser, frame
from web_ui.session import attempt, chosen_analysis, client
from web_ui.shapes import Analysis, LoggedEvent

_PAGES = 20  # of 500 events


def history(analysis: Analysis) -> list[LoggedEvent] | None:
    """The analysis' events so far; None, and the problem shown, where they cannot be had."""
    found: list[LoggedEvent] = []
    after: int | None = None
    for _ in range(_PAGES):
        page = attempt(lambda at=after: client().events(analysis.analysis_id, at))  # type: ignore[misc]  # a default binds the cursor of this round
        if page is None:
            return None
        found.extend(page.items)
        after = page.next
        if after is None or not page.items:
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
