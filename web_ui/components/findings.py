"""What is known of a repository so far: languages, and what its metadata says."""

import streamlit as st

from runtime.client.shapes import AnalysisView
from web_ui import markup, summary, views
from web_ui.components import notices


def show(analysis: AnalysisView) -> None:
    """Draw it."""
    if shares := views.language_shares(analysis.languages):
        st.html('<h2 class="rs-section">Languages</h2>' + markup.shares(shares))
    rows = summary.summary_rows(analysis)
    if rows:
        st.html('<h2 class="rs-section">Summary</h2>' + markup.definitions(rows))
    elif not views.is_over(analysis):
        notices.empty("The summary appears here", "as soon as metadata and structure are read.")
