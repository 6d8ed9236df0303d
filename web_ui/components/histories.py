"""The events of a stream, as a session has them."""

import time
from typing import Any

import streamlit as st

from runtime.client.shapes import EventPage
from web_ui import views
from web_ui.session import attempt, client

_PAGE = 500
_PAGES = 40
_KNOWN, _KEPT = "history", 2_000  # events that a session keeps at most
_KEPT_SECONDS = 60.0
Row = dict[str, Any]


def events_of(stream: str) -> list[Row] | None:
    """The stream's events so far, as rows; None, and the problem shown, where they cannot be had.

    The log only grows: of the stream that was looked at last, the newer ones alone are asked for. What is known is
    asked for anew after a minute, since fields of it may have been erased.
    """
    now = time.monotonic()
    known, found, until = st.session_state.get(_KNOWN, (None, [], 0.0))
    if known != stream or until < now:
        found, until = [], now + _KEPT_SECONDS
    found = list(found)
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
    if len(found) <= _KEPT:
        st.session_state[_KNOWN] = (stream, found, until)
    else:
        st.session_state.pop(_KNOWN, None)
    return found


def _page(stream: str, after: int, cursor: str | None) -> EventPage:
    return client().events_listed(stream_id=stream, after=after, cursor=cursor, limit=_PAGE)
