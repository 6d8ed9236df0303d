"""The cited lines of a file, beside the answer."""

import streamlit as st

from web_ui import graph, markup, views
from web_ui.code_view import code
from web_ui.session import attempt, client, parameter
from web_ui.words import read_place, short_commit


def opened(analysis_id: str, part: str | None) -> None:
    """The lines that the address has opened, where they belong to this `part` of the page; None: to no part of it."""
    place = read_place(parameter("open"))
    if place is not None and parameter("at") == part:
        show(analysis_id, place)


def show(analysis_id: str, place: tuple[str, int, int]) -> None:
    """The lines around `place` as they were at the analysed commit; closing takes them out of the address."""
    path, first, last = place
    with st.container(key="source", gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html(markup.span("place", views.place_title(path, first, last)), width="content")
            if st.button("Close", icon=":material/close:", type="tertiary"):
                st.query_params.pop("open", None)
                st.query_params.pop("at", None)
                st.rerun()
        whole = st.toggle("More of the file", key=f"whole-{path}")
        begin, end = views.source_range(first, last, whole)
        lines = attempt(lambda: client().contents_lines(analysis_id, path=path, first_line=begin, last_line=end))
        if lines is None:
            return
        st.html(code(lines, range(first, last + 1), lambda line: graph.address(analysis_id, path, line, {})))
        st.html(markup.line([markup.span("muted", f"commit {short_commit(lines.commit)}, {lines.line_count:,} lines")]))
