"""Who is signed in, at the end of the bar: what is theirs, what administrators oversee, and the way out."""

import streamlit as st

from web_ui import session

# A form of its own, since the browser itself must be told to forget its cookie.
SIGN_OUT = (
    '<form method="post" action="/auth/logout"><button type="submit" class="rs-sign-out">Sign out</button></form>'
)


def show() -> None:
    """Draw the menu."""
    name, oversees = session.name(), session.administrates()
    if name is None and not oversees:
        return
    with st.container(key="account", width="stretch", horizontal_alignment="right"):
        if name is None:  # local mode: nobody signs in, and the one person oversees all
            _oversight()
            return
        with st.popover(name, icon=":material/person:", type="tertiary"):
            st.page_link("pages/account.py", label="Your sessions", icon=":material/devices:")
            st.page_link("pages/keys.py", label="Keys", icon=":material/key:")
            if session.owns():
                st.page_link("pages/webhooks.py", label="Webhooks", icon=":material/webhook:")
            if oversees:
                st.page_link("pages/people.py", label="People", icon=":material/group:")
                _oversight()
            st.html(SIGN_OUT)


def _oversight() -> None:
    st.page_link("pages/audit.py", label="Audit trail", icon=":material/policy:")
