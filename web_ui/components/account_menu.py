"""Who is signed in, at the end of the bar: their sessions, and the way out. Nothing in local mode."""

import streamlit as st

from web_ui import session

# A form of its own, since the browser itself must be told to forget its cookie.
SIGN_OUT = (
    '<form method="post" action="/auth/logout"><button type="submit" class="rs-sign-out">Sign out</button></form>'
)


def show() -> None:
    """Draw the menu."""
    name = session.name()
    if name is None:
        return
    place = st.container(key="account", width="stretch", horizontal_alignment="right")
    with place, st.popover(name, icon=":material/person:", type="tertiary"):
        st.page_link("pages/account.py", label="Your sessions", icon=":material/devices:")
        st.html(SIGN_OUT)
