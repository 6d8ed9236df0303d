"""What a repository is, told once its analysis is ready: text with citations, the map of its modules, a document."""

import streamlit as st

from runtime.client.shapes import AnalysisView, OverviewRequest, OverviewView
from web_ui import markup, overview
from web_ui.components import browser, source_panel
from web_ui.session import attempt, client, may_write, offers

HERE = "overview"  # as `at` of the address: which part of the page an opened place belongs to


def found_for(analysis: AnalysisView) -> OverviewView | None:
    """The overview, asked for once in each state of the analysis; None, and the problem shown, where there is none."""
    key, state = f"overview-{analysis.analysis_id}", (analysis.state, overview.is_told(analysis))
    known = st.session_state.get(key)
    if known is None or known[0] != state:
        found = attempt(lambda: client().overview_one(analysis.analysis_id))
        if found is None:
            return None
        st.session_state[key] = known = (state, found)
    told = known[1]
    return told if isinstance(told, OverviewView) else None


def show(analysis: AnalysisView) -> None:
    """Draw it, where there is something to tell."""
    found = found_for(analysis) if overview.is_told(analysis) else None
    if found is None or not found.sections:
        return
    with st.container(key="overview", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html('<h2 class="rs-section">Overview</h2>', width="stretch")
            write(analysis)
            st.download_button(
                "Markdown", found.markdown, "overview.md", "text/markdown", icon=":material/download:", type="tertiary"
            )
        opened = browser.answer(overview.text_data(found), key=f"overview-text-{analysis.analysis_id}").opened
        if opened:
            st.query_params["open"], st.query_params["at"] = opened, HERE
        source_panel.opened(analysis.analysis_id, HERE)
        modules(found)


def write(analysis: AnalysisView) -> None:
    """The button that has a model tell it, where one is configured: in a conversation, which can be gone on with.

    Nothing for viewers.
    """
    if not may_write():
        return
    offered = attempt(offers)
    if (
        offered is None
        or not offered.models
        or not st.button("Write it out", icon=":material/edit_note:", type="tertiary")
    ):
        return
    asked = attempt(lambda: client().overview_write(analysis.analysis_id, OverviewRequest()))
    if asked is not None:
        address = {"analysis": analysis.analysis_id, "conversation": asked.conversation_id}
        st.switch_page("pages/chat.py", query_params=address)


def modules(found: OverviewView) -> None:
    """What leads from one module to another, as a table and as Mermaid text."""
    if not found.links:
        return
    with st.expander("Map of the modules"):
        st.html(markup.table(overview.HEAD, overview.link_rows(found.links), "rs-needs"))
        st.caption("The same as Mermaid, for documents that draw it:")
        st.code(found.diagram, language=None)
