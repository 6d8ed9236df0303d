"""Building read models and collections of vectors again, and what came of it. For administrators."""

from functools import partial

import streamlit as st

from runtime.client.shapes import CollectionRebuild, CollectionRequest, CollectionsState, RebuildRequest
from web_ui import collections, rebuilds
from web_ui.components import browser, frame, notices
from web_ui.session import administrates, attempt, client, parameter

_WHAT = (
    "Lists, files, symbols and the graph are derived from the event log and its artifacts. They can be built again at "
    "any time, beside the rows that serve: nobody sees a difference until what differs is replaced, all at once."
)
_VECTORS = (
    "Vectors are kept as artifacts too. A collection that is lost or short is built again of them beside what serves; "
    "nothing is embedded."
)


def _begin(*, replace: bool) -> None:
    view = attempt(lambda: client().rebuilds_begin(RebuildRequest(replace=replace)))
    if view is not None:
        st.query_params["rebuild"] = view.rebuild_id
        st.rerun()


@st.fragment
def _follow(rebuild_id: str) -> None:
    """The rebuild as it is now; the whole page is drawn once more when it is over."""
    view = attempt(lambda: client().rebuilds_one(rebuild_id))
    if view is None or view.state != "asked":
        st.rerun()
    st.status(rebuilds.conclusion(view))
    browser.work(f"rebuilds/{rebuild_id}", view.state)


@st.fragment
def _follow_collection(rebuild_id: str) -> None:
    """The collection that is built last, as it is now."""
    view = attempt(lambda: client().collections_one(rebuild_id))
    if view is None or view.state != "asked":
        st.rerun()
    st.status("The collections are being built again beside those that serve. You may leave the page.")
    browser.work(f"collections/rebuilds/{rebuild_id}", view.state)


def _build_all(state: CollectionsState) -> None:
    """Ask for each; the page goes on to the last one, unless one was refused: then it stays with the reason."""
    asked = [attempt(partial(_ask, one.generation_id)) for one in state.damaged]
    accepted = [rebuild_id for rebuild_id in asked if rebuild_id is not None]
    if accepted:
        st.query_params["collection"] = accepted[-1]
    if accepted and len(accepted) == len(asked):
        st.rerun()


def _ask(generation_id: str) -> str:
    return client().collections_begin(CollectionRequest(of=generation_id)).rebuild_id


def _one_of_them() -> None:
    """Compare the vectors of one with the stored ones, number by number, or build them again, whatever is counted."""
    of = st.text_input("Whose vectors: the id of an analysis, a repository or a generation", parameter("of") or "")
    with st.container(horizontal=True):
        compare = st.button("Compare with the stored ones", key="compare-vectors")
        build = st.button("Build them again", key="build-vectors")
    if not (compare or build):
        return
    if not of.strip():
        st.warning("Say which: *Build its vectors again* above the events of an analysis leads here with its id.")
        return
    wanted = CollectionRequest(of=of.strip(), replace=build)
    view = attempt(lambda: client().collections_begin(wanted))
    if view is not None:
        st.query_params.from_dict({"of": of.strip(), "collection": view.rebuild_id})
        st.rerun()


def _ended(view: CollectionRebuild) -> None:
    """What came of the last one."""
    if view.state == "failed":
        st.warning(view.message or "It could not be done.")
    elif told := collections.outcome(view):
        (st.success if collections.is_right(view) else st.warning)(" ".join(told))


def _vectors() -> None:
    st.html('<h2 class="rs-section">Vectors</h2>')
    st.write(_VECTORS)
    if st.button("Count the vectors", key="count"):
        st.query_params["vectors"] = "counted"
    building = parameter("collection")
    view = attempt(lambda: client().collections_one(building)) if building is not None else None
    if view is not None and view.state == "asked":
        _follow_collection(view.rebuild_id)
        return
    if view is not None:
        _ended(view)
    _one_of_them()
    state = attempt(client().collections_state) if parameter("vectors") is not None else None
    if state is None:
        return
    (st.warning if state.wrong else st.success)(collections.conclusion(state))
    for said in collections.earlier(state):
        st.info(said)
    if state.wrong:
        st.dataframe(collections.rows(state), hide_index=True)
        if st.button("Build these again", key="collections", type="primary"):
            _build_all(state)


def show() -> None:
    """Draw the page."""
    frame.top()
    if not administrates():
        notices.empty("There is no such page for you.", "It is for administrators of the installation.")
        return
    _read_models()
    _vectors()


def _read_models() -> None:
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
