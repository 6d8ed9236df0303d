"""Which conversation, and which model answers; and the end of one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import streamlit as st

from runtime.client.shapes import (
    AgainRequest,
    ConversationSummary,
    ConversationView,
    QuestionView,
    RatingRequest,
    Scope,
)
from web_ui import markup, turns
from web_ui.components import cards, notices, paged
from web_ui.session import attempt, client, may_write, offers, zone

Mode = Literal["answer", "deep", "extractive"]
_MODES = {"answer": "Answer", "deep": "Deep: in steps", "extractive": "Places, without a model"}
_LISTED, _FOUND = 20, "talks-found"
_RATINGS: dict[str, Literal[-1, 1]] = {"up": 1, "down": -1}


_LIMITS = {"folder": "Folder", "path": "File", "symbol": "Definition"}


def choose(repository_id: str, named: str | None) -> None:
    """Earlier conversations and the configured models, where there is something to choose.

    Which ones there are is asked where none is named, and while they are looked at.
    """
    key = f"talks-{repository_id}"
    begun: paged.Listed[ConversationSummary] | None = None
    if named is None or st.session_state.get(key):
        begun = paged.read(
            f"pages-{key}",
            lambda cursor: client().conversations_newest(repository_id=repository_id, cursor=cursor, limit=_LISTED),
        )
    offered = attempt(offers)
    models, modes = (offered.models, offered.modes) if offered else ([], [])
    are_some = bool(begun and begun.items) or named is not None
    if not are_some and len(models) < 2 and len(modes) < 2:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="talks"):
        if are_some:
            with st.popover("Conversations", icon=":material/forum:", width=180, key=key, on_change="rerun"):
                _conversations(repository_id, begun or paged.Listed([], False, 0), named)
        if len(models) > 1:
            st.selectbox("Model", models, key="model", label_visibility="collapsed", width=220)
        if len(modes) > 1:
            st.selectbox(
                "Mode", modes, key="mode", format_func=_MODES.__getitem__, label_visibility="collapsed", width=220
            )


def history(analysis_id: str, conversation: ConversationView) -> None:
    """The way to the conversation's events, at any point of it."""
    address = {"analysis": analysis_id, "stream": f"conversation/{conversation.conversation_id}"}
    st.page_link("pages/events.py", label="History", icon=":material/history:", query_params=address)


def document(conversation: ConversationView) -> None:
    """The button that gives the conversation as Markdown, asked for once in each state of the conversation."""
    if not any(question.answer for question in conversation.questions):
        return
    key = f"document-{conversation.conversation_id}"
    state = [(question.question_id, question.state, question.rating) for question in conversation.questions]
    known = st.session_state.get(key)
    if known is None or known[0] != state:
        made = attempt(lambda: client().conversations_document(conversation.conversation_id))
        if made is None:
            return
        st.session_state[key] = known = (state, made.markdown)
    st.download_button(
        "Markdown", known[1], "conversation.md", "text/markdown", icon=":material/download:", on_click="ignore"
    )


def stopping(question: QuestionView) -> None:
    """The button that gives an answer up while it is written."""
    key = f"stop-{question.question_id}"
    pressed = may_write() and st.button("Stop", icon=":material/stop_circle:", key=key)
    if pressed and attempt(lambda: client().conversations_stop(question.question_id)) is not None:
        st.rerun()


def why_there_is_none(question: QuestionView) -> None:
    """Why a question has no answer."""
    if question.code == "answer_stopped":
        notices.empty("This answer was stopped.", "What was written until then is not kept.")
    else:
        notices.failure("This question could not be answered", question.message, question.code)


def after_failure(question: QuestionView, *, is_first: bool) -> str | None:
    """The buttons below a question that was not answered; what was pressed."""
    with st.container(horizontal=True, gap="small"):
        again = may_write() and st.button("Try again", icon=":material/refresh:", key=f"again-{question.question_id}")
        earlier = not is_first and st.button("Earlier answer", key=f"earlier-{question.question_id}")
    return "again" if again else "earlier" if earlier else None


def act_on(attempts: Sequence[QuestionView], place: int, act: str, chosen: str) -> None:
    """Do what was pressed below an answer; `chosen` names what the session keeps of the attempt that is shown."""
    question = attempts[place]
    if act in _RATINGS:
        rating = RatingRequest(rating=_RATINGS[act])
        done = attempt(lambda: client().conversations_rate(question.question_id, rating)) is not None
    elif act == "again":
        done = ask_again(question, chosen)
    else:
        beside = attempts[max(0, min(place + (1 if act == "later" else -1), len(attempts) - 1))]
        st.session_state[chosen] = beside.question_id
        done = True
    if done:
        st.rerun()


def ask_again(question: QuestionView, chosen: str, query: str | None = None) -> bool:
    """Have a question answered anew, in other words where a `query` is given; whether it was accepted."""
    asked = AgainRequest(query=query, model=model(), mode=mode() if "mode" in st.session_state else None)
    begun = attempt(lambda: client().conversations_ask_again(question.question_id, asked))
    st.session_state.pop(chosen, None)  # the newest is shown
    return begun is not None


def question(asked: QuestionView, chosen: str) -> None:
    """What was asked, and the way to put it in other words once it has come to its end."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        with st.container(width="content"):  # a place of its own: else the question stands there twice meanwhile
            if asked.state != "asked" and may_write():
                with st.popover("Edit", icon=":material/edit:", type="tertiary", key=f"edit-{asked.question_id}"):
                    _edited(asked, chosen)
        st.html(f'<div class="rs-question">{markup.text(asked.query)}</div>', width="content")


def _edited(asked: QuestionView, chosen: str) -> None:
    with st.form(f"edited-{asked.question_id}", border=False):
        query = st.text_area("The question in other words", asked.query, max_chars=4_000, height=120)
        sent = st.form_submit_button("Ask this instead", type="primary")
    st.caption("The answer that it has stays beside the new one.")
    if sent and query.strip() and ask_again(asked, chosen, query.strip()):
        st.rerun()


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


def mode() -> Mode:
    """The mode that was chosen."""
    chosen = st.session_state.get("mode")
    return chosen if chosen in _MODES else "answer"


def limit(languages: Sequence[str]) -> None:
    """What the next questions are limited to, beside the field where they are typed."""
    limits = scope()
    told = "Search in a part of it" if limits is None else turns.told_scope(limits)
    with st.popover(told, icon=":material/filter_alt:"):
        for name, label in _LIMITS.items():
            st.text_input(label, key=f"scope-{name}", max_chars=500)
        st.selectbox("Language", ["", *languages], key="scope-language", format_func=lambda name: name or "any")


def scope() -> Scope | None:
    """What questions are limited to; None for the whole repository."""
    given = {name: str(st.session_state.get(f"scope-{name}") or "").strip() for name in (*_LIMITS, "language")}
    return Scope(**given) if any(given.values()) else None


def _conversations(repository_id: str, begun: paged.Listed[ConversationSummary], named: str | None) -> None:
    """The newest conversations, or those that have the words that are typed, each by its first question."""
    words = st.text_input("Search", key="talks-words", max_chars=200, placeholder="Words of a question or an answer")
    found, more = _with_words(repository_id, words) if words.strip() else (begun.items, False)
    if named is not None and st.button("New conversation", icon=":material/add:"):
        _open(None)
    with st.container(key="talk-list", gap="small"):
        for conversation in found:
            is_open = conversation.conversation_id == named
            label = markup.label(turns.told_talk(conversation, datetime.now(zone())))
            key = f"talk-{conversation.conversation_id}"
            if st.button(label, key=key, type="tertiary", disabled=is_open, width="stretch"):
                _open(conversation.conversation_id)
    if not found:
        st.caption("None of those looked through has these words." if more else "None has these words.")
    if not words.strip():
        paged.more(f"pages-talks-{repository_id}", begun, "Older ones")
    if more and st.button("Look through older ones") and _look_further(repository_id, words):
        st.rerun()


def _with_words(repository_id: str, words: str) -> tuple[list[ConversationSummary], bool]:
    """The conversations that were found to have all the words, and whether there are more to be looked through."""
    if st.session_state.get(_FOUND, ("", "", [], None))[:2] != (repository_id, words):
        st.session_state[_FOUND] = (repository_id, words, [], None)
        _look_further(repository_id, words)
    *_, found, cursor = st.session_state[_FOUND]
    return found, cursor is not None


def _look_further(repository_id: str, words: str) -> bool:
    """Look through the next hundred conversations, if they can be: what is found stays while the words are the same."""
    *_, found, cursor = st.session_state[_FOUND]
    page = attempt(
        lambda: client().conversations_newest(repository_id=repository_id, words=words, cursor=cursor, limit=_LISTED)
    )
    if page is not None:
        st.session_state[_FOUND] = (repository_id, words, [*found, *page.items], page.next)
    return page is not None


def _open(conversation_id: str | None) -> None:
    for name in ("open", "at", "conversation"):
        st.query_params.pop(name, None)
    if conversation_id is not None:
        st.query_params["conversation"] = conversation_id
    st.rerun()
