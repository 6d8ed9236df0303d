"""Keys: what lets programs in for somebody. API keys are made and revoked here, programs that act for them ended."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import ApiKeyRequest, ApiKeyView, GrantView
from web_ui import programs
from web_ui.components import cards, frame, notices
from web_ui.session import attempt, client, me, name, zone

_LIVES = {7: "a week", 30: "30 days", 90: "90 days", 365: "a year"}
_USUAL_LIFE = 90
_SHOWN = 200  # the newest: those that are revoked are listed too


def make() -> None:
    """The form for a new key; its secret where one was made."""
    who = me()
    scopes = programs.may_be_given(who.scopes if who is not None else ())
    with st.form("new-key", clear_on_submit=True, enter_to_submit=False):
        left, right = st.columns((3, 1))
        title = left.text_input("Name", placeholder="nightly build", max_chars=100)
        days = right.selectbox("Valid for", _LIVES, list(_LIVES).index(_USUAL_LIFE), format_func=_LIVES.__getitem__)
        chosen = st.multiselect("It may", scopes, scopes[:1], format_func=programs.scope_label)
        submitted = st.form_submit_button("Make a key", type="primary")
    if not submitted:
        return
    if not title.strip() or not chosen:
        notices.empty("A key needs a name and something that it may do.", "Name the program that will use it.")
        return
    wanted = ApiKeyRequest.model_validate({"name": title.strip(), "scopes": chosen, "expires_in_days": days})
    made = attempt(lambda: client().credentials_create_key(wanted))
    if made is not None:
        cards.secret(f"The key “{made.name}”", made.secret)


def key_card(key: ApiKeyView, now: datetime) -> None:
    """One key, with its button."""
    with st.container(border=True, key=f"card-{key.key_id}", horizontal=True, vertical_alignment="center"):
        state = programs.key_state(key, now)
        cards.begin(key.name, programs.key_facts(key, now), state)
        if state[0] == "valid":
            warning = "Within five seconds no program is let in by it any more. This cannot be taken back."
            cards.confirmed(
                "Revoke",
                key=f"revoke-{key.key_id}",
                warning=warning,
                do=lambda: client().credentials_revoke_key(key.key_id),
            )


def grant_card(grant: GrantView, now: datetime) -> None:
    """One program, with its button."""
    with st.container(border=True, key=f"card-{grant.grant_id}", horizontal=True, vertical_alignment="center"):
        cards.begin(f"Program {grant.grant_id[:8]}", programs.grant_facts(grant, now))
        warning = "Within five seconds its tokens are refused, and it gets no more."
        cards.confirmed(
            "End",
            key=f"end-{grant.grant_id}",
            warning=warning,
            do=lambda: client().credentials_end_grant(grant.grant_id),
        )


def show() -> None:
    """Draw the page."""
    frame.top()
    if name() is None:
        notices.empty("There is no sign-in here.", "Programs on this machine need no key.")
        return
    now = datetime.now(zone())
    st.html(
        '<h1 class="rs-hero">Keys</h1>'
        '<p class="rs-lead">By these, programs act for you. Give each its own key, and no more than it needs.</p>'
        '<h2 class="rs-section">API keys</h2>'
    )
    make()
    keys = attempt(lambda: client().credentials_list_keys(limit=_SHOWN))
    for key in keys.items if keys is not None else ():
        key_card(key, now)
    grants = attempt(lambda: client().credentials_list_grants(limit=_SHOWN))
    if grants is not None and grants.items:
        st.html('<h2 class="rs-section">Programs that renew their tokens</h2>')
        for grant in grants.items:
            grant_card(grant, now)


show()
