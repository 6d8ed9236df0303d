"""Parked messages: those that ended their workers too often, and what becomes of them. For administrators."""

import json
from datetime import datetime

import streamlit as st

from runtime.client.shapes import LetterEdit, LetterView
from web_ui import letters
from web_ui.components import cards, frame, notices
from web_ui.session import administrates, attempt, client, me, parameter, zone
from web_ui.words import visible

_PAGE = 50
_AGAIN = "It is done as if it came now; a question is asked as its asker had it. If it fails again, it is parked again."
_EDIT = "It is asked for as its next attempt, with these values. Who changed what is kept in the log of its analysis."
_DISCARD = "It is never done. What waits for it may wait for ever: cancel that, or begin it anew."


def card(letter: LetterView, now: datetime, tenant_id: str | None) -> None:
    """One message, with what can be done; `tenant_id` is where whoever looks works."""
    of = letter.letter_id
    with st.container(border=True, key=f"letter-{of}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            cards.begin(letters.title(letter), letters.facts(letter, now), letters.state(letter))
            events = letters.stream_of(letter, tenant_id)
            if events is not None:
                st.page_link("pages/events.py", label="Events", icon=":material/timeline:", query_params=events)
            if letter.repeatable:
                cards.confirmed("Run again", key=f"again-{of}", warning=_AGAIN, do=lambda: client().letters_retry(of))
            if letter.resolution is None:
                cards.confirmed("Discard", key=f"out-{of}", warning=_DISCARD, do=lambda: client().letters_discard(of))
        if letter.repeatable and letter.event_type == letters.RUN and st.toggle("Other values", key=f"other-{of}"):
            _edit(letter)
        with st.expander("Why it was parked"):
            st.code(visible(letter.error), language=None, wrap_lines=True)
            st.caption(f"Message {of}, correlation {letter.correlation_id or 'unknown'}")


def _edit(letter: LetterView) -> None:
    """Other values for a parked run, as JSON; the page is drawn anew once it is asked for."""
    of = letter.letter_id
    message = attempt(lambda: client().letters_message(of))
    if message is None:
        return
    st.caption(f"{_EDIT} Can be changed: {', '.join(message.editable)}.")
    written = st.text_area("New values", json.dumps(message.values, indent=1), key=f"values-{of}", height=200)
    if st.button("Run with these", key=f"edit-{of}", type="primary") and attempt(lambda: _edited(of, written)):
        st.rerun()


def _edited(letter_id: str, written: str) -> bool:
    client().letters_edit(letter_id, LetterEdit(changes=letters.changes(written)))
    return True


def show() -> None:
    """Draw the page."""
    frame.top()
    if not administrates():
        notices.empty("There is no such page for you.", "It is for administrators of the installation.")
        return
    st.html('<h1 class="rs-hero">Parked messages</h1>')
    settled = st.toggle("Also those that were decided", parameter("settled") is not None)
    if settled != (parameter("settled") is not None):  # another list: it begins at its first page
        st.query_params.from_dict({"settled": "yes"} if settled else {})
        st.rerun()  # with the toggle as the address has it: else the next click would be dropped
    page = attempt(lambda: client().letters_listed(settled=settled, cursor=parameter("cursor"), limit=_PAGE))
    if page is None:
        return
    if not page.items:
        notices.empty("Nothing waits.", "A message that ends its workers too often is set aside, and comes here.")
    now, who = datetime.now(zone()), me()
    for letter in page.items:
        card(letter, now, who.tenant_id if who is not None else None)
    if page.next is not None:
        more = {"cursor": page.next} | ({"settled": "yes"} if settled else {})
        st.page_link("pages/letters.py", label="More", query_params=more, icon=":material/arrow_forward:")


show()
