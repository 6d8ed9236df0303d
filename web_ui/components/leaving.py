"""The end of the account page: take along all that is yours, and delete the account."""

import streamlit as st

from runtime.client.shapes import DepartureRequest
from web_ui import markup
from web_ui.session import attempt, client

_EXPORT = "/api/v1/me/export"
_LEFT = "account-deleted"


def take_along() -> None:
    """The link to all that is somebody's."""
    st.html('<h2 class="rs-section">Your data</h2>')
    st.html(
        '<p class="rs-lead">One archive of JSON lines: repositories, analyses, conversations, keys without their '
        "secrets, sessions, webhooks, and what the audit trail has of you.</p>"
        f'<a class="rs-button" href="{_EXPORT}" download>Download all that is yours</a>'
    )


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


def is_over() -> bool:
    """Whether the account was deleted on this page; then it says so."""
    if _LEFT not in st.session_state:
        return False
    st.html(
        '<div class="rs-notice rs-good" role="status"><strong class="rs-title">Your account is deleted.</strong>'
        "<p>You are signed out everywhere. Within a minute nothing of it is left.</p></div>"
    )
    return True
