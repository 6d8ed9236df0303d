"""Account: where somebody is signed in, the way to end it, usage, and the way to take everything along and leave."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import SessionView
from web_ui import markup, user_agents
from web_ui.components import account_menu, cards, frame, leaving, notices, usage
from web_ui.session import attempt, client, name, zone
from web_ui.words import ago


def row(shown: SessionView) -> None:
    """One session, with its button."""
    with st.container(border=True, key=f"card-{shown.session_id}", horizontal=True, vertical_alignment="center"):
        title = markup.span("name", user_agents.browser(shown.agent))
        until = f"until {shown.expires_at.astimezone(zone()):%d %B}"
        facts = [shown.address, f"last used {ago(shown.seen_at, datetime.now(zone()))}", until]
        st.html(title + markup.line(f"<span>{markup.text(fact)}</span>" for fact in facts if fact), width="stretch")
        if shown.current:
            st.html(markup.pill("this browser", "good"), width="content")
            return
        ended = st.button("End", key=f"end-{shown.session_id}") and attempt(lambda: _end(shown.session_id))
    if ended:
        st.rerun()


def _end(session_id: str) -> bool:
    client().sessions_end(session_id)
    return True


def _end_others(shown: list[SessionView]) -> None:
    for other in shown:
        if not other.current:
            _end(other.session_id)


def sessions() -> list[SessionView]:
    """Where whoever is here is signed in."""
    page = attempt(client().sessions_mine)
    return page.items if page is not None else []


def show() -> None:
    """Draw the page."""
    frame.top()
    if leaving.is_over():
        return
    who = name()
    if who is None:
        notices.empty("There is no sign-in here.", "This installation is for the one person at this machine.")
        usage.show()
        leaving.take_along()
        return
    st.html(f'<h1 class="rs-hero">{markup.text(who)}</h1><h2 class="rs-section">Where you are signed in</h2>')
    shown = sessions()
    for each in shown:
        row(each)
    if len(shown) > 2:
        warning = "Wherever else you are signed in, you have to sign in again."
        cards.confirmed("End all others", key="end-others", warning=warning, do=lambda: _end_others(shown))
    st.html(account_menu.SIGN_OUT)
    usage.show()
    leaving.take_along()
    leaving.delete()


show()
