"""Building the read models again, and what came of it. For administrators."""

import streamlit as st

from runtime.client.shapes import RebuildRequest
from web_ui import rebuilds
from web_ui.components import frame, notices
from web_ui.session import administrates, attempt, client, parameter

_WHAT = (
    "Lists, files, symbols and the graph are derived from the event log and its artifacts. They can be built again at "
    "any time, beside the rows that serve: nobody sees a difference until what differs is replaced, all at once."
)
_EVERY = 1.0  # seconds between two looks at a rebuild that is not over


def _begin(*, replace: bool) -> None:
    view = attempt(lambda: client().rebuilds_begin(RebuildRequest(replace=replace)))
    if view is not None:
        st.query_params["rebuild"] = view.rebuild_id
        st.rerun()


@st.fragment(run_every=_EVERY)
def _follow(rebuild_id: str) -> None:
    """The rebuild as it is now; the whole page is drawn once more when it is over."""
    view = attempt(lambda: client().rebuilds_one(rebuild_id))
    if view is None or view.state != "asked":
        st.rerun()
    st.status(rebuilds.conclusion(view))


def show() -> None:
    """Draw the page."""
    frame.top()
    if not administrates():
        notices.empty("There is no such page for you.", "It is for administrators of the installation.")
        return
    st.html('<h1 class="rs-hero">Read models</h1>')
    st.write(_WHAT)
    with st.container(horizontal=True):
        if st.button("Compare with the log", key="compare"):
            _begin(replace=False)
        if st.button("Build again", key="rebuild", type="primary"):
            _begin(replace=True)
    rebuild_id = parameter("rebuild")
    view = attempt(lambda: client().rebuilds_one(rebuild_id)) if rebuild_id is not None else None
    if view is None:
        return
    if view.state == "asked":
        _follow(view.rebuild_id)
        return
    told = rebuilds.conclusion(view)
    (st.success if view.agrees or (view.replace and view.state == "done") else st.warning)(told)
    if view.projections:
        st.dataframe(rebuilds.rows(view), hide_index=True)


show()
