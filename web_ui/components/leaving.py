"""The end of a page: take along all that is yours, delete the account, delete a team."""

import streamlit as st

from runtime.client.shapes import DepartureRequest, TenantView
from web_ui import markup
from web_ui.components import browser
from web_ui.session import attempt, client, renew

_EXPORT = "/api/v1/me/export"
_LEFT = "account-deleted"
_TEAM = "team-deleted"


def take_along() -> None:
    """The link to all that is somebody's."""
    st.html('<h2 class="rs-section">Your data</h2>')
    st.html(
        '<p class="rs-lead">One archive of JSON lines: repositories, analyses, conversations, keys without their '
        "secrets, sessions, webhooks, and what the audit trail has of you.</p>"
    )
    browser.download("Download all that is yours", _EXPORT, streamed=True)


def delete() -> None:
    """The form that deletes the account."""
    st.html('<h2 class="rs-section">Delete the account</h2>')
    st.write(
        markup.label(
            "Your repositories, analyses, conversations, keys and webhooks go with it, and every team that has nobody "
            "else. You are signed out everywhere at once; within a minute all of it is gone for good. "
            "This cannot be taken back."
        )
    )
    with st.form("delete-account", border=False):
        login = st.text_input("Type your login to confirm", autocomplete="off")
        sure = st.form_submit_button("Delete my account", type="primary")
    if sure and attempt(lambda: client().deleting_delete_account(DepartureRequest(confirm=login.strip()))) is not None:
        st.session_state[_LEFT] = True
        st.rerun()


def delete_team(team: TenantView) -> None:
    """The form that deletes the team that is worked in."""
    st.html('<h2 class="rs-section">Delete the team</h2>')
    st.write(
        markup.label(
            "Its repositories, analyses, conversations, keys, links and webhooks go with it, for all its members. They "
            "are back in their own space at once; within a minute all of it is gone for good. It cannot be taken back."
        )
    )
    with st.form("delete-team", border=False):
        title = st.text_input("Type the name of the team to confirm", autocomplete="off")
        sure = st.form_submit_button("Delete this team", type="primary")
    wanted = DepartureRequest(confirm=title.strip())
    if sure and attempt(lambda: client().deleting_delete_tenant(team.tenant_id, wanted)) is not None:
        renew()
        st.session_state[_TEAM] = team.name
        st.rerun()


def deleted_team() -> None:
    """Say, once, that a team was deleted on this page."""
    if (title := st.session_state.pop(_TEAM, None)) is not None:
        st.html(
            '<div class="rs-notice rs-good" role="status"><strong class="rs-title">The team '
            f"{markup.text(title)} is deleted.</strong><p>You work on your own again. Within a minute nothing of it "
            "is left.</p></div>"
        )


def is_over() -> bool:
    """Whether the account was deleted on this page; then it says so."""
    if _LEFT not in st.session_state:
        return False
    st.html(
        '<div class="rs-notice rs-good" role="status"><strong class="rs-title">Your account is deleted.</strong>'
        "<p>You are signed out everywhere. Within a minute nothing of it is left.</p></div>"
    )
    return True
