"""What the history says: files that change often, files that change together, who wrote them."""

import streamlit as st

from runtime.client.shapes import AnalysisView
from web_ui import markup, past

_TABLES = (
    ("Hot spots", ("Path", "Commits", "Authors", "Last changed"), past.hot_spots),
    ("Change together", ("Path", "Path", "Commits", "Of the rarer one"), past.co_changes),
    ("Contributors", ("Name", "Commits", "First", "Last"), past.contributors),
)


def show(analysis: AnalysisView) -> None:
    """Draw it, where the history was read."""
    facts = past.facts(analysis)
    if not facts:
        return
    st.html('<h2 class="rs-section">History</h2>' + markup.line(markup.span("fact", fact) for fact in facts))
    tables = [(title, head, rows) for title, head, rows_of in _TABLES if (rows := rows_of(analysis))]
    if not tables:
        return
    for tab, (_, head, rows) in zip(st.tabs([title for title, _, _ in tables]), tables, strict=True):
        tab.html(markup.table(head, rows, "rs-past"))
