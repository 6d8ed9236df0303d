"""Share one thing by a link: make one, see those that are open, end them. Nothing in local mode, and for viewers."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import ShareMade, ShareRequest, ShareView
from web_ui import markup
from web_ui.components import cards
from web_ui.session import attempt, client, may_share, zone
from web_ui.words import ago, moment

_LIVES = {24: "a day", 168: "a week", 720: "30 days", 2_160: "90 days"}
_USUAL_LIFE = 168
_SHOWN = 50


def control(kind: str, resource_id: str) -> None:
    """The button, and what it opens. `kind` is `repository` or `conversation`."""
    if not may_share():
        return
    opened = st.popover("Share", icon=":material/link:", key=f"sharing-{resource_id}", on_change="rerun")
    with opened:
        what = (
            "what is in it at its newest analysis"
            if kind == "repository"
            else "its questions and answers, later ones too"
        )
        st.write(f"Whoever has the link sees this {kind}: {what}. They need no account, and see nothing else.")
        hours = st.selectbox(
            "The link ends after",
            _LIVES,
            list(_LIVES).index(_USUAL_LIFE),
            format_func=_LIVES.__getitem__,
            key=f"life-{resource_id}",
        )
        if st.button("Make a link", type="primary", key=f"share-{resource_id}"):
            made = attempt(lambda: _make(kind, resource_id, hours))
            if made is not None:
                cards.secret("The link", made.url)
        page = attempt(lambda: client().shares_listed(resource_id=resource_id, limit=_SHOWN)) if opened.open else None
        for each in page.items if page is not None else ():
            row(each)


def row(link: ShareView, title: str = "") -> None:
    """One open link, with its button."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"link-{link.share_id}"):
        made = f"made {ago(link.created_at, datetime.now(zone()))}, until {moment(link.expires_at, zone())}"
        st.html(markup.line([markup.span("fact", fact) for fact in (title, made) if fact]), width="stretch")
        ended = st.button("End", key=f"end-{link.share_id}") and attempt(lambda: _end(link.share_id))
    if ended:
        st.rerun()


def _make(kind: str, resource_id: str, hours: int) -> ShareMade:
    wanted = ShareRequest(expires_in_hours=hours)
    if kind == "repository":
        return client().shares_share_repository(resource_id, wanted)
    return client().shares_share_conversation(resource_id, wanted)


def _end(share_id: str) -> bool:
    client().shares_revoke(share_id)
    return True
