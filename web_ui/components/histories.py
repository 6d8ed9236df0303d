"""The events of a stream, as a session has them."""

from typing import Any

import streamlit as st

from runtime.client.shapes import EventPage
from web_ui import views
from web_ui.session import attempt, client

_PAGE = 500
_PAGES = 40
_KNOWN, _KEPT = "history", 2_000  # events that a session keeps at most
Row = dict[str, Any]


def events_of(stream: str) -> list[Row] | None:
    """The stream's events so far, as rows; None, and the problem shown, where they cannot be had.

    The log only grows: of the stream that was looked at last, the newer ones alone are asked for.
    """
    known, found = st.session_state.get(_KNOWN, (None, []))
    found = list(found) if known == stream else []
    after = found[-1]["version"] if found else 0
    cursor = None
    for _ in range(_PAGES):
        page = attempt(lambda at=cursor: _page(stream, after, at))  # type: ignore[misc]  # a default binds the cursor of this round
        if page is None:
            st.session_state.pop(_KNOWN, None)
            return None
        found.extend(views.event_rows(page.items))
        cursor = page.next
        if cursor is None:
            break
    st.session_state[_KNOWN] = (stream, found) if len(found) <= _KEPT else (None, [])
    return found


def _page(stream: str, after: int, cursor: str | None) -> EventPage:
    return client().events_listed(stream_id=stream, after=after, cursor=cursor, limit=_PAGE)
