"""Invitation: who invites into which team, and the button to join."""

import streamlit as st

from runtime.client.shapes import InvitationSecret, OfferView
from web_ui import markup
from web_ui.components import browser, frame, notices
from web_ui.session import attempt, client, name, renew, work_in

_OFFER = "offer"


def offer(secret: str) -> OfferView | None:
    """What the invitation offers; asked for once."""
    known, of = st.session_state.get(_OFFER, (None, ""))
    if known is None or of != secret:
        known = attempt(lambda: client().invitations_offer(InvitationSecret(secret=secret)))
        st.session_state[_OFFER] = (known, secret)
    return known if isinstance(known, OfferView) else None


def join(secret: str) -> None:
    """Become a member, and work there."""
    joined = attempt(lambda: client().invitations_accept(InvitationSecret(secret=secret)))
    if joined is not None:
        st.session_state.pop(_OFFER, None)
        renew()
        work_in(joined.tenant_id)


def show() -> None:
    """Draw the page."""
    frame.top()
    if name() is None:
        notices.empty("There is no sign-in here.", "This installation is for the one person at this machine.")
        return
    secret = browser.link_secret("rsi_", stays=False)
    if secret is None:
        return  # the browser tells it in a moment
    if not secret:
        notices.empty("There is no invitation in this address.", "Open the link as you were sent it.")
        return
    offered = offer(secret)
    if offered is None:
        return
    st.html(
        f'<h1 class="rs-hero">Join {markup.text(offered.team)}</h1>'
        f'<p class="rs-lead">{markup.text(offered.inviter)} invites you as {markup.text(offered.role)}.</p>'
    )
    if st.button("Join the team", type="primary", icon=":material/group_add:"):
        join(secret)


show()
