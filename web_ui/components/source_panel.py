"""The cited lines of a file, beside the answer."""

from functools import partial

import streamlit as st

from web_ui import graph, markup, views
from web_ui.code_view import code
from web_ui.session import attempt, client, parameter
from web_ui.words import read_place, short_commit

SIGHT = ("explore", "folder", "file", "definition", "symbol")  # what of an address says what is looked at in Explore


def kept() -> dict[str, str]:
    """What else is looked at, for an address that opens lines beside it."""
    return {name: value for name in SIGHT if (value := parameter(name))}


def opened(analysis_id: str, part: str | None) -> None:
    """The lines that the address has opened, where they belong to this `part` of the page; None: to no part of it."""
    place = read_place(parameter("open"))
    if place is not None and parameter("at") == part:
        show(analysis_id, place, part=part)


def show(analysis_id: str, place: tuple[str, int, int], *, part: str | None = None, toggle: str | None = None) -> None:
    """The lines around `place` as they were at the analysed commit.

    They stand in a `part` of the page, or behind the switch with the key `toggle`. Closing turns that off, or takes
    them out of the address.
    """
    path, first, last = place
    own = f"-{toggle}" if toggle else ""
    at = kept() | ({"at": part} if part else {})
    with st.container(key=f"source{own}", gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html(markup.span("place", views.place_title(path, first, last)), width="content")
            off = partial(_turn_off, toggle) if toggle else None
            if (
                st.button("Close", icon=":material/close:", type="tertiary", key=f"close{own}", on_click=off)
                and not off
            ):
                st.query_params.pop("open", None)
                st.query_params.pop("at", None)
                st.rerun()
        whole = st.toggle("More of the file", key=f"whole{own}-{path}")
        begin, end = views.source_range(first, last, whole)
        lines = attempt(lambda: client().contents_lines(analysis_id, path=path, first_line=begin, last_line=end))
        if lines is None:
            return
        st.html(code(lines, range(first, last + 1), lambda line: graph.address(analysis_id, path, line, at)))
        st.html(markup.line([markup.span("muted", f"commit {short_commit(lines.commit)}, {lines.line_count:,} lines")]))


def _turn_off(toggle: str) -> None:
    st.session_state[toggle] = False
