"""Whether the analysed commit is still the newest, and the button that analyses the newest one."""

import streamlit as st

from runtime.client import ApiError
from runtime.client.shapes import AnalysisSummary, AnalysisView, StalenessView
from web_ui import markup, views
from web_ui.components import anew
from web_ui.session import client, may_write, remembered


def standing(analysis: AnalysisView | AnalysisSummary) -> StalenessView | None:
    """Where the newest analysis of its repository stands; None where its host does not say, or there is none."""
    if not _has_standing(analysis):
        return None
    of = analysis.repository_id
    return remembered(f"staleness {of} {analysis.analysis_id} {analysis.state}", lambda: _asked(of))


def pill(analysis: AnalysisSummary) -> tuple[str, str] | None:
    """The same as a word and a tone, also where its host does not say; None where no host can."""
    if (found := standing(analysis)) is not None:
        return views.staleness_pill(analysis.analysis_id, found)
    return ("its host does not say", "calm") if _has_standing(analysis) else None


def _has_standing(analysis: AnalysisView | AnalysisSummary) -> bool:
    return analysis.commit is not None and views.is_over(analysis)


def _asked(repository_id: str) -> StalenessView | None:
    try:
        return client().contents_staleness(repository_id)
    except ApiError:
        return None  # that a host does not answer is no reason to show less of what is here


def show(analysis: AnalysisView) -> None:
    """A badge where the host was asked with success; the button where there is something newer."""
    found = standing(analysis)
    if found is None:
        return
    said, tone = views.staleness_pill(analysis.analysis_id, found)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="staleness"):
        st.html(markup.pill(said, tone))
        is_newest = found.analysis_id == analysis.analysis_id
        if found.standing == "behind" and is_newest and may_write() and st.button("Refresh", icon=":material/sync:"):
            anew.begin(analysis)
