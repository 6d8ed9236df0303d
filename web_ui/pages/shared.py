"""Shared: what a sharing link shows, for whoever has it. Nobody needs to be signed in."""

import streamlit as st

from runtime.client.shapes import AnalysisView, ConversationView, QuestionView
from web_ui import markup, views
from web_ui.code_view import code
from web_ui.components import browser, findings, frame, left_out, notices
from web_ui.session import attempt, client, look_by, zone
from web_ui.source import highlight
from web_ui.words import read_place, short_commit, spelled

_LISTED = 500


def files(analysis: AnalysisView) -> None:
    """Choose a file, and read it as it was analysed."""
    st.html('<h2 class="rs-section">Read a file</h2>')
    prefix = st.text_input("Path begins with", max_chars=400, placeholder="src/") if _is_long(analysis) else ""
    page = attempt(lambda: client().contents_files(analysis.analysis_id, prefix=prefix or None, limit=_LISTED))
    if page is None:
        return
    paths = [file.path for file in page.items if file.skipped is None]
    path = st.selectbox(
        "File",
        paths,
        index=None,
        placeholder=f"{page.total:,} files",
        format_func=spelled,
        label_visibility="collapsed",
    )
    if path is None:
        return
    lines = attempt(lambda: client().contents_lines(analysis.analysis_id, path=path))
    if lines is not None:
        st.html(code(lines, range(0)))
        shown = f"lines {lines.first_line:,} to {lines.last_line:,} of {lines.line_count:,}"
        st.html(markup.line([markup.span("muted", f"commit {short_commit(lines.commit)}, {shown}")]))


def _is_long(analysis: AnalysisView) -> bool:
    return analysis.totals.get("files", 0) > _LISTED


def repository(repository_id: str) -> None:
    """A repository as its newest analysis has it."""
    found = attempt(lambda: client().contents_repository(repository_id))
    newest = found.latest if found is not None else None
    if newest is None:
        return
    analysis = attempt(lambda: client().analyses_one(newest.analysis_id))
    if analysis is None:
        return
    frame.heading(analysis)
    left, right = st.columns((3, 2), gap="large")
    with left:
        files(analysis)
    with right:
        findings.show(analysis)
    left_out.show(analysis)


def conversation(conversation_id: str) -> None:
    """A conversation, with the passages that its answers rest on."""
    found = attempt(lambda: client().conversations_one(conversation_id))
    if found is None:
        return
    st.html(markup.line([markup.span("name", f"A conversation about {found.title}")], "heading"))
    if not found.questions:
        notices.empty("Nothing was asked yet.", "Come back when the conversation has begun.")
    turns(found)


def turns(found: ConversationView) -> None:
    """The questions with their answers."""
    for question in found.questions:
        st.html(f'<div class="rs-question">{markup.text(question.query)}</div>')
        if question.state == "failed":
            notices.failure("This question could not be answered", question.message, question.code)
        elif question.state == "answered":
            key = f"open-{question.question_id}"
            opened = browser.answer(
                views.answer_data(question, "", zone()), key=f"answer-{question.question_id}"
            ).opened
            st.session_state[key] = opened or st.session_state.get(key)
            cited(question, read_place(st.session_state[key]), key)
        else:
            notices.empty("The answer is being written.", "Load the page again in a moment.")


def cited(question: QuestionView, place: tuple[str, int, int] | None, key: str) -> None:
    """The lines of a place, from the passages that came with the answer: a link to a conversation shows no more."""
    if place is None:
        return
    path, first, last = place
    with st.container(key=f"source-{question.question_id}", gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.html(markup.span("place", views.place_title(path, first, last)), width="content")
            if st.button("Close", icon=":material/close:", type="tertiary", key=f"close-{question.question_id}"):
                st.session_state[key] = None
                st.rerun()
        passage = views.passage_at(question.passages, place)
        if passage is None:
            notices.empty("These lines did not come with the answer.", "Ask who shared it for the repository's link.")
            return
        coloured = highlight(passage.text, language=passage.language, path=path)
        st.html(markup.source(coloured, passage.first_line, range(first, last + 1)))
        st.html(markup.line([markup.span("muted", f"commit {short_commit(question.commit)}")]))


def show() -> None:
    """Draw the page."""
    with st.container(key="top", horizontal=True):
        st.html('<p class="rs-brand">Repostream</p>', width="content")
        st.html(markup.pill("shared with you, read-only", "calm"), width="content")
    secret = browser.link_secret("rsl_", stays=True)
    if secret is None:
        return  # the browser tells it in a moment
    if not secret:
        notices.empty("There is no sharing link in this address.", "Open the link as you were sent it.")
        return
    look_by(secret)
    shared = attempt(client().shares_shared)
    if shared is not None:
        (repository if shared.kind == "repository" else conversation)(shared.resource_id)


show()
