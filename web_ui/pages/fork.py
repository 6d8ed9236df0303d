"""Fork: a history with one event edited, and how it goes on from there, beside the real one."""

import streamlit as st

from runtime.client.shapes import AnalysisView, Envelope, ForkRequest
from web_ui import forked, markup
from web_ui.components import fork, frame, notices
from web_ui.session import attempt, client, parameter

_WHAT = (
    "A copy of the history up to this event goes on with other values of it: the present code decides, and the world "
    "answers as it was recorded. Nothing is done for real, and nothing is kept."
)
_EDIT = "edit"


def chosen(analysis: AnalysisView) -> tuple[str, Envelope] | None:
    """The stream and the event that the address names; None, and why, where there is none."""
    stream = parameter("stream") or f"analysis/{analysis.analysis_id}"
    version = forked.read_version(parameter("at"))
    if version is None:
        notices.empty("No event is chosen.", "Go to one in the history, and edit it from there.")
        return None
    found = attempt(lambda: client().inspecting_state(stream_id=stream, version=version, with_state=False))
    return (stream, found.event) if found is not None and found.event is not None else None


def changes_of(stream: str, event: Envelope) -> dict[str, object] | None:
    """What was written in place of the event's values: just now, or as the address or this session has it."""
    kept = f"fork-{event.event_id}-sent"
    placed = forked.read_address(parameter(_EDIT))
    before = st.session_state.get(kept) if placed is None else placed
    sent = fork.form(event, before or {})
    if sent is None:
        return before
    st.session_state[kept] = sent
    said = forked.address(stream, sent)
    if said is None:
        st.query_params.pop(_EDIT, None)
    else:
        st.query_params[_EDIT] = said
    return sent


def show() -> None:
    """Draw the page."""
    analysis = frame.opened("events")
    if analysis is None:
        return
    frame.heading(analysis)
    found = chosen(analysis)
    if found is None:
        return
    stream, event = found
    back = {"analysis": analysis.analysis_id, "stream": stream, "at": str(event.version)}
    st.page_link("pages/events.py", label="Back to the history", icon=":material/arrow_back:", query_params=back)
    st.html(
        f'<h2 class="rs-section">Event {event.version} · {markup.text(event.event_type)}</h2>'
        f'<p class="rs-lead">{markup.text(_WHAT)}</p>'
    )
    changed = changes_of(stream, event)
    if changed is None:
        return
    wanted = ForkRequest(stream_id=stream, version=event.version, changes=changed)
    made = attempt(lambda: client().forks_make(wanted))
    if made is not None:
        fork.show(made)


show()
