"""Which conversation, and which model answers; and the end of one."""

from datetime import UTC, datetime

import streamlit as st

from runtime.client.shapes import ConversationView
from web_ui.components import cards
from web_ui.session import attempt, client, may_write
from web_ui.words import ago

_NEW = "new"
_LISTED = 20


def choose(repository_id: str, named: str | None) -> None:
    """Earlier conversations and the configured models, where there is something to choose."""
    page = attempt(lambda: client().conversations_newest(repository_id=repository_id, limit=_LISTED))
    offered = attempt(client().installation_config)
    models = offered.models if offered else []
    begun = {conversation.conversation_id: conversation for conversation in (page.items if page else ())}
    if not begun and len(models) < 2:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="talks"):
        if begun:
            _conversations(begun, named)
        if len(models) > 1:
            st.selectbox("Model", models, key="model", label_visibility="collapsed", width=220)


def deletion(conversation: ConversationView) -> None:
    """The button that deletes a conversation, after asking; the page then offers a new one."""
    if not may_write():
        return
    cards.confirmed(
        "Delete",
        key=f"delete-{conversation.conversation_id}",
        warning="Its questions and answers are hidden at once, for everybody, and links to it end. Within a minute "
        "they are gone for good.",
        do=lambda: _delete(conversation.conversation_id),
    )


def _delete(conversation_id: str) -> None:
    client().deleting_delete_conversation(conversation_id)
    for name in ("open", "at", "conversation"):
        st.query_params.pop(name, None)


def model() -> str | None:
    """The model that was chosen; None means the default one."""
    chosen = st.session_state.get("model")
    return str(chosen) if chosen else None


def _conversations(begun: dict[str, ConversationView], named: str | None) -> None:
    options = [_NEW, *begun]
    chosen = st.selectbox(
        "Conversation",
        options,
        index=options.index(named) if named in begun else 0,
        format_func=lambda key: "New conversation" if key == _NEW else f"Begun {_when(begun[key])}",
        label_visibility="collapsed",
        width=260,
    )
    if chosen != (named if named in begun else _NEW):
        for name in ("open", "at", "conversation"):
            st.query_params.pop(name, None)
        if chosen != _NEW:
            st.query_params["conversation"] = chosen
        st.rerun()


def _when(conversation: ConversationView) -> str:
    age = ago(conversation.started_at, datetime.now(UTC))
    return f"{age}, {conversation.started_at:%H:%M} UTC" if age.endswith("ago") else age
