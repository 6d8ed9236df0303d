"""The frame around every page: brand, and the tabs of the analysis that is looked at."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import AnalysisView
from web_ui import markup, views
from web_ui.components import account_menu
from web_ui.session import chosen_analysis, zone

_TABS = (("analysis", "Analysis"), ("chat", "Chat"), ("events", "Events"), ("compare", "Compare"))


def top(analysis: AnalysisView | None = None, active: str = "") -> None:
    """The bar at the top: brand, and the pages of one analysis."""
    with st.container(key="top", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="brand", width="content"):
            st.page_link("pages/start.py", label="Repostream", icon=":material/account_tree:")
        for page, title in _TABS if analysis is not None else ():
            assert analysis is not None  # noqa: S101  # for the type checker
            with st.container(key=f"tab-{'on' if page == active else 'off'}-{page}", width="content"):
                st.page_link(f"pages/{page}.py", label=title, query_params=_address(page, analysis.analysis_id))
        account_menu.show()


def opened(active: str) -> AnalysisView | None:
    """The bar, and the analysis that the address names; None where there is none, which is said below the bar."""
    bar = st.container()
    analysis = chosen_analysis()
    with bar:
        top(analysis, active)
    return analysis


def _address(page: str, analysis_id: str) -> dict[str, str]:
    """The parameters of a tab: the chat goes on where it was left."""
    begun = st.session_state.get(f"conversation-{analysis_id}") if page == "chat" else None
    return {"analysis": analysis_id} | ({"conversation": str(begun)} if begun else {})


def heading(analysis: AnalysisView) -> None:
    """Name, state and one line of facts of an analysis."""
    word, tone = views.state_pill(analysis)
    name = markup.span("name", analysis.name, title=analysis.url)
    facts = (f"<span>{markup.text(fact)}</span>" for fact in views.headline_facts(analysis, datetime.now(zone())))
    st.html(markup.line([name, markup.pill(word, tone)], "heading") + markup.line(facts))
