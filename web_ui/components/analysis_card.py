"""One analysis in a list: name, state, and one line of facts; its page is a click away."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import AnalysisSummary
from web_ui import markup, views
from web_ui.session import zone


def show(analysis: AnalysisSummary, standing: tuple[str, str] | None = None) -> None:
    """Draw it; with where its commit stands, as a word and a tone, where its host was asked."""
    word, tone = views.state_pill(analysis)
    facts = views.headline_facts(analysis, datetime.now(zone()))
    if languages := views.languages_line(analysis.languages):
        facts.insert(2, languages)
    if analysis.state == "failed" and analysis.code:
        facts.append(analysis.code)
    with st.container(border=True, key=f"card-{analysis.analysis_id}", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                "pages/analysis.py",
                label=f"**{markup.label(analysis.name)}**",
                query_params={"analysis": analysis.analysis_id},
            )
            st.html(markup.pill(word, tone), width="content")
            if standing is not None:
                st.html(markup.pill(*standing), width="content")
        st.html(markup.line(f"<span>{markup.text(fact)}</span>" for fact in facts))
