"""By which embedder's vectors an analysis is searched, where another one's are kept, and the way to these."""

import streamlit as st

from runtime.client import ApiError
from runtime.client.shapes import AnalysisView
from web_ui import generations, markup
from web_ui.session import attempt, client, may_write, zone


def show(analysis: AnalysisView) -> None:
    """Nothing where there is no choice."""
    if analysis.state != "refined":
        return
    try:
        kept = client().generations_kept(analysis.analysis_id)
    except ApiError:
        return  # that search does not answer is no reason to show less of what is here
    said = generations.sentence(kept)
    if not said:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="generations"):
        st.html(markup.line([markup.span("fact", said)]))
        for one in generations.choices(kept) if may_write() else ():
            if st.button(generations.label(one, kept.wanted, zone()), key=f"go-{one.generation_id}"):
                _go_to(analysis.analysis_id, one.generation_id)


def _go_to(analysis_id: str, generation_id: str) -> None:
    if attempt(lambda: client().generations_activate(analysis_id, generation_id)) is not None:
        st.rerun()
