"""Begin another analysis of what one is of: its newest commit, or what was stopped before it was ready."""

import streamlit as st

from runtime.client.shapes import AnalysisRequest, AnalysisView
from web_ui.session import attempt, client


def control(analysis: AnalysisView) -> None:
    """The button where it was cancelled, which nothing else goes on after."""
    if analysis.state == "cancelled" and st.button("Analyse again", icon=":material/replay:"):
        begin(analysis)


def begin(analysis: AnalysisView) -> None:
    """Ask for the same repository, branch, folder, files and history again, and show it."""
    wanted = AnalysisRequest(
        url=analysis.url,
        ref=analysis.ref,
        folder=analysis.folder or None,
        include=analysis.include,
        history=analysis.history_depth or 0,
        after=analysis.analysis_id,
    )
    begun = attempt(lambda: client().analyses_begin(wanted))
    if begun is not None:
        st.switch_page("pages/analysis.py", query_params={"analysis": begun.analysis_id})
