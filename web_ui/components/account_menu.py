"""Who is signed in, at the end of the bar: what is theirs, what administrators oversee, and the way out."""

import streamlit as st

from web_ui import markup, session

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
        with st.popover(_label(name), icon=":material/person:", type="tertiary"):
            _tenants()
            st.page_link("pages/team.py", label="Teams", icon=":material/group:")
            st.page_link("pages/account.py", label="Your sessions", icon=":material/devices:")
            st.page_link("pages/keys.py", label="Keys", icon=":material/key:")
            if session.owns():
                st.page_link("pages/webhooks.py", label="Webhooks", icon=":material/webhook:")
            if oversees:
                st.page_link("pages/people.py", label="People", icon=":material/group:")
                _oversight()
            st.html(SIGN_OUT)


def _label(name: str) -> str:
    """Who is here, and the team that they work in."""
    team = next((each.name for each in session.tenants() if each.current and not each.personal), "")
    return markup.label(f"{name} in {team}" if team else name)


def _tenants() -> None:
    """The other tenants, each a click away."""
    for each in session.tenants():
        if not each.current and st.button(
            f"Switch to {markup.label('your own' if each.personal else each.name)}",
            key=f"switch-{each.tenant_id}",
            icon=":material/swap_horiz:",
            type="tertiary",
        ):
            session.work_in(each.tenant_id)


def _oversight() -> None:
    with st.container(horizontal=True, horizontal_alignment="right", gap="small", key="oversight"):
        st.page_link("pages/installation.py", label="Installation", icon=":material/monitor_heart:")
        st.page_link("pages/audit.py", label="Audit trail", icon=":material/policy:")
        st.page_link("pages/letters.py", label="Parked messages", icon=":material/inbox:")
        st.page_link("pages/upkeep.py", label="Read models", icon=":material/refresh:")
