"""Analysis: the stages live, what was found, what was left out and why."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import streamlit as st

from runtime.client.shapes import AnalysisView
from web_ui import estimates, markup, outcomes, views
from web_ui.components import (
    anew,
    browser,
    bundles,
    findings,
    frame,
    generations,
    graph,
    left_out,
    needs,
    notices,
    overview,
    past,
    push_hook,
    run_again,
    share,
    source_panel,
    staleness,
)
from web_ui.session import attempt, client, may_write, zone


def actions(analysis: AnalysisView) -> None:
    """Ask, cancel, retry, share, delete; nothing of it for viewers."""
    if not may_write():
        return
    chosen: Callable[[str], AnalysisView] | None = None
    with st.container(horizontal=True, gap="small"):
        if views.can_ask(analysis) and st.button("Ask about it", type="primary", icon=":material/forum:"):
            st.switch_page("pages/chat.py", query_params={"analysis": analysis.analysis_id})
        said = "Go on refining" if views.is_stopped(analysis) else "Retry what failed"
        if views.can_retry(analysis) and st.button(said, icon=":material/refresh:"):
            chosen = client().analyses_retry
        run_again.control(analysis)
        if analysis.state == "unconfirmed" and st.button("Go on", type="primary", icon=":material/play_arrow:"):
            chosen = client().analyses_confirm
        if views.can_cancel(analysis) and st.button(
            "Stop refining" if analysis.state == "ready" else "Cancel", icon=":material/close:"
        ):
            chosen = client().analyses_cancel
        anew.control(analysis)
        share.control("repository", analysis.repository_id)
        bundles.analysis(analysis)
        if analysis.commit is not None:
            push_hook.control(analysis)
        with st.popover("Delete", icon=":material/delete:"):
            delete(analysis)
    if chosen is not None and attempt(partial(chosen, analysis.analysis_id)) is not None:
        st.rerun()


def delete(analysis: AnalysisView) -> None:
    """Delete the repository, once a person has said for certain that it shall go."""
    st.markdown(
        f"Delete **{markup.label(analysis.name)}** with all its analyses, conversations and its index? "
        "This cannot be taken back."
    )
    if st.button("Delete for good", type="primary", key="delete-for-good"):
        gone = attempt(lambda: client().deleting_delete(analysis.repository_id))
        if gone is not None:
            st.switch_page("pages/start.py")


def show() -> None:
    """Draw the page."""
    analysis = frame.opened("analysis")
    if analysis is None:
        return
    frame.heading(analysis)
    # What comes and goes has a place of its own: else all below it changes places, and stands there twice meanwhile.
    with st.container():
        _told(analysis)
    above = st.container()
    with st.container():
        actions(analysis)
    with st.container():
        source_panel.opened(analysis.analysis_id, None)
    left, right = st.columns((3, 2), gap="large")
    with left:
        browser.timeline(views.timeline_data(analysis, datetime.now(zone())), key=f"timeline-{analysis.analysis_id}")
    with right:
        findings.show(analysis)
    for part in (overview.show, needs.show, past.show, graph.show, left_out.show):
        with st.container():
            part(analysis)
    with above:  # drawn last: a search, or a host, that is slow to answer keeps nothing else waiting
        generations.show(analysis)
        staleness.show(analysis)


def _told(analysis: AnalysisView) -> None:
    """What went wrong, what it waits for, what it costs."""
    if analysis.state == "failed":
        notices.failure("The analysis failed", analysis.message, analysis.code)
    if missing := outcomes.partial_sentence(analysis):
        st.html(f'<div class="rs-notice rs-warn">{markup.text(missing)}</div>')
    for notice in (outcomes.login_sentence(analysis), outcomes.unembedded_sentence(analysis)):
        if notice:
            st.html(f'<div class="rs-notice rs-warn">{markup.text(notice)}</div>')
    if waiting := estimates.waiting_sentence(analysis, datetime.now(zone())):
        st.html(f'<div class="rs-notice rs-warn">{markup.text(waiting)}</div>')
    elif facts := estimates.facts(analysis):
        st.html(markup.line(markup.span("fact", fact) for fact in facts))
    left_out.damage(analysis)


show()
