"""A fork on a page: the form that edits an event, and what became of it beside the real history."""

from typing import TYPE_CHECKING

import streamlit as st

from runtime.client.shapes import Envelope, ForkView
from web_ui import forked, markup

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def form(event: Envelope, edited: dict[str, object]) -> dict[str, object] | None:
    """The form with an event's values, and those that were written before; what is different, once it is sent."""
    shown = forked.fields({**event.data, **{name: edited[name] for name in event.data if name in edited}})
    short, long = ([each for each in shown if (each.kind == "lines") is lines] for lines in (False, True))
    with st.form(f"fork-{event.event_id}"):
        columns = st.columns(2) if short else ()
        written = {each.name: _field(each, event.event_id, columns[n % 2]) for n, each in enumerate(short)}
        if long:
            with st.expander("Lists, objects and long texts"):
                written |= {each.name: _field(each, event.event_id, st.container()) for each in long}
        sent = st.form_submit_button("Go on from here", type="primary", icon=":material/fork_right:")
    return forked.changes(event.data, written) if sent else None


def _field(field: forked.Field, of: str, into: "DeltaGenerator") -> str | bool:
    """A field, begun with its value: what is written in it since then stays, whatever the page is drawn with."""
    name, key = markup.label(field.name.replace("_", " ")), f"fork-{of}-{field.name}"
    st.session_state.setdefault(key, field.is_set if field.kind == "yes" else field.said)
    if field.kind == "yes":
        return into.checkbox(name, key=key)
    return into.text_input(name, key=key) if field.kind == "line" else into.text_area(name, key=key, height=200)


def show(made: ForkView) -> None:
    """Draw what became of it."""
    tone = "good" if made.agrees else "warn"
    st.html(
        f'<div class="rs-notice rs-{tone}" role="status">{markup.text(forked.conclusion(made))}</div>'
        + markup.line(markup.span("fact", fact) for fact in forked.lengths(made))
    )
    for title, head, rows, kind in _tables(made):
        if rows:
            st.html(f'<h2 class="rs-section">{title}</h2>' + markup.table(head, rows, kind))


def _tables(made: ForkView) -> list[tuple[str, tuple[str, ...], list[forked.Row], str]]:
    """Title, head, rows and style of each table."""
    sides = ("where", "really", "in the fork")
    return [
        ("What is edited", sides, forked.differences(made.edited), "rs-sides"),
        ("Both histories after it", ("how", *sides[1:]), forked.beside(made), "rs-beside"),
        ("Decisions that are different", sides[1:], forked.decisions(made), "rs-sides"),
        ("The state right after it", sides, forked.differences(made.then), "rs-sides"),
        ("The state at the end", sides, forked.differences(made.now), "rs-sides"),
        ("Not recorded", ("what it would need",), forked.missing(made.not_recorded), "rs-sides"),
    ]
