"""Audit trail: who did what, from where, and what became of it. For administrators."""

from collections.abc import Iterator
from datetime import datetime

import streamlit as st

from runtime.client.shapes import AuditCheck
from web_ui import audit, markup
from web_ui.components import browser, frame, notices
from web_ui.session import administrates, attempt, client, parameter, zone

_PAGE = 50
_WORDS = ("user", "action", "target", "address", "outcome", "since", "until")
_OUTCOMES = ("", "allowed", "refused", "failed")
_CHECK = "audit-check"


def search() -> dict[str, str]:
    """The form. What is looked for stands in the page's address, so that it can be shared and gone back to."""
    now = {name: parameter(name) or "" for name in _WORDS}
    with st.form("audit", border=False, enter_to_submit=True):
        who, did, to, place = st.columns(4)
        wanted: dict[str, object] = {
            "user": who.text_input("Who", now["user"], placeholder="login or id", max_chars=200),
            "action": did.text_input("Did", now["action"], placeholder="analyses.begin", max_chars=200),
            "target": to.text_input("To", now["target"], placeholder="analyses/…", max_chars=200),
            "address": place.text_input("From", now["address"], placeholder="192.0.2.7", max_chars=200),
        }
        ended, since, until, go = st.columns((2, 2, 2, 1.3), vertical_alignment="bottom")
        at = _OUTCOMES.index(now["outcome"]) if now["outcome"] in _OUTCOMES else 0
        wanted["outcome"] = ended.selectbox("Outcome", _OUTCOMES, at, format_func=lambda word: word or "any")
        wanted["since"] = since.datetime_input("Since", moment(now["since"]))
        wanted["until"] = until.datetime_input("Until", moment(now["until"]))
        if go.form_submit_button("Search", type="primary", width="stretch"):
            now = {name: written(value) for name, value in wanted.items()}
            st.query_params.from_dict(known(now))
            st.rerun()  # with the fields as the address has them: else what is written next would be dropped
    return known(now)


def known(search: dict[str, str]) -> dict[str, str]:
    """What is really looked for."""
    return {name: value for name, value in search.items() if value}


def moment(text: str) -> datetime | None:
    """A time of the address as the form takes it; None where there is none."""
    try:
        return datetime.fromisoformat(text).astimezone(zone()).replace(tzinfo=None) if text else None
    except ValueError:
        return None


def written(value: object) -> str:
    """What a field of the form says, as it stands in the address."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=zone()).isoformat()
    return str(value or "").strip()


def checks() -> Iterator[AuditCheck]:
    """The whole trail, checked in pieces."""
    after: int | None = 0
    while after is not None:
        piece = client().audit_verification(after=after)
        yield piece
        after = piece.next


def check() -> None:
    """The button that works the chain out again, and what came of it."""
    if st.button("Check the trail", icon=":material/verified:"):
        with st.spinner("Working out the hash of every entry again…"):
            st.session_state[_CHECK] = attempt(lambda: audit.verdict(checks()))
    if st.session_state.get(_CHECK) is not None:
        tone, title, told = st.session_state[_CHECK]
        st.html(
            f'<div class="rs-notice rs-{tone}" role="status"><strong class="rs-title">{markup.text(title)}</strong>'
            f"<p>{markup.text(told)}</p></div>"
        )


def results(wanted: dict[str, str]) -> None:
    """One page of what fits."""
    page = attempt(lambda: client().audit_search(**wanted, cursor=parameter("cursor"), limit=_PAGE))
    if page is None:
        return
    if not page.items:
        notices.empty("Nothing fits.", "Look for less: fields that are left empty fit everything.")
        return
    st.html(audit.entries(page.items, zone()))
    if page.next is not None:
        older = wanted | {"cursor": page.next}
        st.page_link("pages/audit.py", label="Older entries", query_params=older, icon=":material/arrow_forward:")


def show() -> None:
    """Draw the page."""
    frame.top()
    if not administrates():
        notices.empty("There is no such page for you.", "The audit trail is for administrators of this installation.")
        return
    st.html(
        '<h1 class="rs-hero">Audit trail</h1>'
        '<p class="rs-lead">Who did what, from where, and what became of it. Nothing here can be changed.</p>'
    )
    wanted = search()
    with st.container(horizontal=True, vertical_alignment="center"):
        browser.download("Export as JSON lines", audit.export_address(wanted), streamed=True)
        check()
    results(wanted)


show()
