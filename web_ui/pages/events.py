"""Events: what the log recorded of one analysis, of its repository or of a conversation about it, at any point."""

import time

import streamlit as st

from runtime.client.shapes import AnalysisView
from web_ui import markup, moments, views
from web_ui.components import browser, frame, notices, paged
from web_ui.session import administrates, attempt, client, parameter, zone

_TALKS = 50


def repository(stream: str) -> None:
    """A repository with its analyses, at any moment at which anything of it changed."""
    found = attempt(lambda: client().inspecting_moments(stream_id=stream))
    if found is None:
        return
    left = f" {found.analyses_left_out:,} older analyses are not among them." if found.analyses_left_out else ""
    st.html(
        '<div class="rs-facts">The moments at which it, or one of its analyses, came to stand otherwise.'
        f"{left} Stream&nbsp;{markup.span('code', stream)}</div>"
    )
    data: dict[str, object] = {
        "stream": stream,
        "items": moments.rows(found),
        "moments": True,
        "loaded": time.time(),
    }
    browser.inspector(data, key=f"inspector-{stream}")


def choose(analysis: AnalysisView) -> str:
    """Which stream is looked at: the analysis's, its repository's, or one of its conversations."""
    key = f"streams-{analysis.repository_id}"
    talks = paged.read(
        key,
        lambda cursor: client().conversations_newest(repository_id=analysis.repository_id, cursor=cursor, limit=_TALKS),
    )
    offered = views.streams_of(analysis, talks.items if talks else (), zone())
    named = parameter("stream")
    if named is not None and named not in offered:
        offered = {named: named, **offered}
    streams = list(offered)
    place = streams.index(named) if named is not None else 0
    chosen = st.selectbox(
        "What is looked at", streams, place, format_func=lambda stream: offered[stream], key=f"stream-of-{named}"
    )
    if talks is not None:
        paged.more(key, talks, "Older conversations")
    if chosen != (named or streams[0]):
        for name in ("at", "q", "type", "stage", "since", "until"):
            st.query_params.pop(name, None)
        st.query_params["stream"] = chosen
        st.rerun()
    return chosen


def show() -> None:
    """Draw the page."""
    analysis = frame.opened("events")
    if analysis is None:
        return
    frame.heading(analysis)
    if administrates():
        address, of = {"analysis": analysis.analysis_id}, {"of": analysis.analysis_id}
        with st.container(horizontal=True):
            st.page_link("pages/shadows.py", label="Shadows", icon=":material/contrast:", query_params=address)
            st.page_link("pages/upkeep.py", label="Build its vectors again", icon=":material/build:", query_params=of)
    stream = choose(analysis)
    if stream.startswith("repository/"):
        repository(stream)
        return
    is_own = stream == f"analysis/{analysis.analysis_id}"  # which was read just now
    first = attempt(lambda: client().events_listed(stream_id=stream, limit=1)) if not is_own else None
    if first is None and not is_own:
        return
    if first is not None and not first.items:
        notices.empty("Nothing has happened here yet.", "It was deleted, or it has not begun.")
        return
    st.html(
        f'<div class="rs-facts">The log\'s own record, in its order. Stream&nbsp;{markup.span("code", stream)}</div>'
    )
    data: dict[str, object] = {"stream": stream}  # what happened it asks for itself, once
    data["analysis_id"] = analysis.analysis_id  # where an edited event goes on
    browser.inspector(data, key=f"inspector-{stream}")


show()
