"""Analyses below one another, with how far behind their branches they are where somebody asks for it."""

from collections.abc import Sequence

import streamlit as st

from runtime.client.shapes import AnalysisSummary
from runtime.upload_url import SCHEME
from web_ui.components import analysis_card, staleness
from web_ui.session import keep, parameter


def show(analyses: Sequence[AnalysisSummary]) -> None:
    """Draw them. Hosts are asked only on demand: each may take a second."""
    pills: dict[str, tuple[str, str] | None] = {}
    if any(not one.url.startswith(SCHEME) for one in analyses):
        asked = st.toggle("Say how far behind their branches they are", value=parameter("hosts") is not None)
        keep("hosts", "asked" if asked else None)
        if asked:
            with st.spinner("The hosts are asked."):
                pills = {one.analysis_id: staleness.pill(one) for one in analyses}
    for analysis in analyses:
        analysis_card.show(analysis, pills.get(analysis.analysis_id))
