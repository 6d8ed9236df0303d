"""Analyses and conversations as files: the link that exports one, and where one of another installation is dropped."""

import streamlit as st

from runtime.client.shapes import AnalysisView, ConversationView, TakenOver
from web_ui import views
from web_ui.components import browser, notices
from web_ui.proxy import PREFIX
from web_ui.session import attempt, client

_HELP = (
    "One file with its events and files, to be imported by another installation; what looks like a secret is taken out."
)


def analysis(found: AnalysisView) -> None:
    """The link to the bundle of an analysis that is over."""
    if views.is_over(found):
        browser.download("Export", f"{PREFIX}/analyses/{found.analysis_id}/bundle", title=_HELP)


def conversation(found: ConversationView, about: AnalysisView) -> None:
    """The link to the bundle of a conversation; with the analysis, once that is over and the newest answer's."""
    if any(question.state == "asked" for question in found.questions):
        return
    rests_on = next((one.analysis_id for one in reversed(found.questions) if one.analysis_id is not None), None)
    with_analysis = "?with_analysis=true" if rests_on == about.analysis_id and views.is_over(about) else ""
    address = f"{PREFIX}/conversations/{found.conversation_id}/bundle{with_analysis}"
    browser.download("Export", address, title=_HELP)


def ask() -> None:
    """The box; what was in a bundle that has come just now is opened."""
    with st.expander("A bundle of another installation"):
        st.caption("Its analysis is read as it was made there, its conversation is yours: nothing is asked of anybody.")
        taken = browser.bundle()
    if taken is not None:
        _open(taken)


def _open(taken: TakenOver) -> None:
    if taken.analysis_id is not None:
        st.switch_page("pages/analysis.py", query_params={"analysis": taken.analysis_id})
    repository = attempt(lambda: client().contents_repository(taken.repository_id))
    if repository is None or taken.conversation_id is None:
        return
    if repository.latest is None:
        notices.empty(
            "The conversation is here.", f"It is shown beside an analysis: have {repository.url} analysed to read it."
        )
        return
    named = {"analysis": repository.latest.analysis_id, "conversation": taken.conversation_id}
    st.switch_page("pages/chat.py", query_params=named)
