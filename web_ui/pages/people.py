"""People: who has an account here, and who of them is let in. For administrators."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import PersonView
from web_ui.components import cards, frame, notices
from web_ui.session import administrates, attempt, client, me, name, parameter, zone
from web_ui.words import ago

_PAGE = 50
_OUT = "Within five seconds sessions, tokens, keys and open pages of theirs are over. They cannot sign in."
_IN = "They may sign in again, and their keys are good again."


def facts(person: PersonView, now: datetime) -> list[str]:
    """One line about a person."""
    at = f" at {person.issuer.removeprefix('https://')}" if person.issuer else ""
    since = f"here since {person.created_at.astimezone(now.tzinfo):%Y-%m-%d}"
    said = [person.login, f"{person.provider} {person.subject}{at}", since]
    if person.seen_at is not None:
        said.append(f"last here {ago(person.seen_at, now)}")
    return [*said, f"suspended {ago(person.suspended_at, now)}"] if person.suspended_at is not None else said


def state(person: PersonView) -> tuple[str, str] | None:
    """A person's state as a word and a tone."""
    if person.suspended_at is not None:
        return "suspended", "bad"
    return ("administrator", "busy") if person.admin else None


def card(person: PersonView, now: datetime, own: str) -> None:
    """One person, with what can be done."""
    of = person.user_id
    with st.container(border=True, key=f"card-{of}", horizontal=True, vertical_alignment="center"):
        cards.begin(person.name or person.login, facts(person, now), state(person))
        if person.suspended_at is not None:
            cards.confirmed("Let in again", key=f"in-{of}", warning=_IN, do=lambda: client().people_restore(of))
        elif of != own:
            cards.confirmed("Suspend", key=f"out-{of}", warning=_OUT, do=lambda: client().people_suspend(of))


def search() -> dict[str, str]:
    """The form. What is looked for stands in the page's address; another search begins at its first page."""
    now = {name: parameter(name) or "" for name in ("search", "suspended")}
    with st.form("people", border=False, enter_to_submit=True):
        left, middle, right = st.columns((5, 2, 1.3), vertical_alignment="bottom")
        words = left.text_input("Login or name", now["search"], max_chars=200)
        suspended = middle.checkbox("Only suspended", bool(now["suspended"]))
        if right.form_submit_button("Search", type="primary", width="stretch"):
            now = {"search": words.strip(), "suspended": "yes" if suspended else ""}
            st.query_params.from_dict({name: value for name, value in now.items() if value})
            st.rerun()  # with the fields as the address has them: else what is written next would be dropped
    return {name: value for name, value in now.items() if value}


def show() -> None:
    """Draw the page."""
    frame.top()
    if name() is None or not administrates():
        notices.empty("There is no such page for you.", "It is for administrators of an installation with a sign-in.")
        return
    st.html('<h1 class="rs-hero">People</h1>')
    wanted = search()
    page = attempt(
        lambda: client().people_people(
            search=wanted.get("search", ""), suspended="suspended" in wanted, cursor=parameter("cursor"), limit=_PAGE
        )
    )
    if page is None:
        return
    if not page.items:
        notices.empty("Nobody fits.", "Look for a part of a login or of a name.")
    who, now = me(), datetime.now(zone())
    for person in page.items:
        card(person, now, who.user_id if who is not None else "")
    if page.next is not None:
        more = wanted | {"cursor": page.next}
        st.page_link("pages/people.py", label="More", query_params=more, icon=":material/arrow_forward:")


show()
