"""Shadows: a stage of the present code over what was recorded of an analysis, beside what serves."""

import streamlit as st

from runtime.client.shapes import AnalysisView, ShadowRequest, ShadowView
from web_ui import markup, shadowed
from web_ui.components import frame, notices, shadow
from web_ui.session import administrates, attempt, client, parameter

_PAGE = 50
_WHAT = (
    "A shadow runs a stage of this release over what was recorded of the analysis, beside what serves, and says what "
    "would be different. No host and no model is asked, and nothing that serves is touched. It goes after seven days."
)


def ask(analysis: AnalysisView) -> None:
    """Choose a stage and have it run; the page then shows that shadow."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        stages = list(shadowed.STAGES)
        stage = st.selectbox("Stage", stages, stages.index("parse"), format_func=shadowed.STAGES.__getitem__)
        pressed = st.button("Run beside", icon=":material/play_arrow:", type="primary")
    if not pressed:
        return
    wanted = ShadowRequest(analysis_id=analysis.analysis_id, stage=stage)
    begun = attempt(lambda: client().shadows_begin(wanted))
    if begun is not None:
        st.query_params["shadow"] = begun.shadow_id
        st.rerun()


def looked_at(own: list[ShadowView]) -> None:
    """The one that the address names, else the newest."""
    named = parameter("shadow") or (own[0].shadow_id if own else None)
    found = attempt(lambda: client().shadows_one(named)) if named is not None else None
    if found is not None:
        shadow.show(found)


def show() -> None:
    """Draw the page."""
    analysis = frame.opened("events")
    if analysis is None:
        return
    if not administrates():
        notices.empty("There is no such page for you.", "It is for administrators of the installation.")
        return
    frame.heading(analysis)
    st.html(f'<p class="rs-lead">{markup.text(_WHAT)}</p>')
    ask(analysis)
    page = attempt(lambda: client().shadows_listed(cursor=parameter("cursor"), limit=_PAGE))
    own, others = shadowed.apart(page.items if page is not None else (), analysis.analysis_id)
    looked_at(own)
    for title, listed in (("Shadows of this analysis", own), ("Of other analyses of the team", others)):
        if listed:
            st.html(f'<h2 class="rs-section">{title}</h2>')
        for each in listed:
            shadow.card(each)
    if page is not None and page.next is not None:
        further = {"analysis": analysis.analysis_id, "cursor": page.next}
        st.page_link("pages/shadows.py", label="More", query_params=further, icon=":material/arrow_forward:")


show()
