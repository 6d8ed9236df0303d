"""Chat: questions and answers, and the cited lines beside them."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import AnalysisView, ConversationRequest, ConversationView, QuestionRequest, QuestionView
from web_ui import markup, turns, views
from web_ui.components import browser, bundles, frame, notices, overview, share, source_panel, talks
from web_ui.overview import is_told
from web_ui.session import attempt, client, may_write, parameter, zone
from web_ui.words import read_place

_SUGGESTIONS = ("What does this project do?", "Where does it start?", "How is it tested?")  # of what is not ready yet
_REFUSALS = "refusals"  # of questions, in this session


def turn(attempts: list[QuestionView], analysis: AnalysisView) -> None:
    """One question and an answer to it, the newest or the chosen one, in whatever state it is."""
    chosen = f"attempt-{attempts[0].question_id}"
    place = turns.shown_attempt(attempts, st.session_state.get(chosen))
    question = attempts[place]
    talks.question(question, chosen)
    if question.state == "failed":
        talks.why_there_is_none(question)
        act = talks.after_failure(question, is_first=place == 0)
    elif question.state == "answered":
        actions = turns.answer_actions(attempts, place, may_ask=may_write())
        data = views.answer_data(question, analysis.url, zone()) | {"id": attempts[0].question_id, "actions": actions}
        opened, act = browser.answer(data, key=f"answer-{attempts[0].question_id}")
        if opened:
            st.query_params["open"] = opened
            st.query_params["at"] = question.analysis_id or analysis.analysis_id
    else:
        browser.live_answer(question.question_id, turns.steps_shown(question))
        talks.stopping(question)
        return
    if act is not None:
        talks.act_on(attempts, place, act, chosen)


def not_yet(analysis: AnalysisView) -> None:
    """Why there are no answers yet, and how far the analysis is."""
    if views.is_over(analysis):
        notices.failure("Nothing can be asked about this analysis", analysis.message or analysis.state, analysis.code)
        return
    notices.empty(
        "Questions can be asked once the sources are parsed and indexed.",
        "This page opens the conversation by itself as soon as that is done.",
    )
    browser.timeline(views.timeline_data(analysis, datetime.now(zone())), key=f"timeline-{analysis.analysis_id}")


def suggestion(analysis: AnalysisView) -> str | None:
    """A question to begin with, when one is picked: about what the facts name, once they are there."""
    notices.empty("Ask about this repository.", "Every answer names its commit and cites the lines it rests on.")
    told = overview.found_for(analysis) if is_told(analysis) else None
    with st.container(horizontal=True, gap="small"):
        questions = told.questions if told is not None and told.questions else _SUGGESTIONS
        picked = [text for text in questions if st.button(markup.label(text), key=f"suggested-{text}")]
    return picked[0] if picked else None


def ask(query: str, analysis: AnalysisView, conversation: ConversationView | None) -> None:
    """Send a question, beginning a conversation where there is none; the page then shows it being answered.

    Where it is refused, the conversation that was begun is the one that the next question goes to.
    """
    about = ConversationRequest(repository_id=analysis.repository_id)
    begun = conversation or attempt(lambda: client().conversations_begin(about))
    if begun is None:
        return
    st.query_params["conversation"] = begun.conversation_id
    question = QuestionRequest(query=query, model=talks.model(), mode=talks.mode(), scope=talks.scope())
    if attempt(lambda: client().conversations_ask(begun.conversation_id, question)) is not None:
        st.rerun()


def talk(analysis: AnalysisView, conversation: ConversationView | None) -> None:
    """The conversation, and the lines that were opened beside it."""
    questions = conversation.questions if conversation else ()
    with st.container(key="beside"):  # another layout would draw the answers anew: two columns always
        left, right = st.columns((3, 2), gap="medium")
    with left:
        for attempts in turns.attempts_of(questions):
            turn(attempts, analysis)
        picked = suggestion(analysis) if not questions and may_write() else None
    opened = read_place(parameter("open"))
    if opened is not None:
        with right:
            source_panel.show(parameter("at") or analysis.analysis_id, opened)
    if not may_write():
        notices.empty("You are a viewer here.", "Members ask questions: an owner can make you one.")
        return
    talks.limit(sorted(analysis.languages))
    refusals = st.session_state.get(_REFUSALS, 0)
    if query := st.session_state.get(f"question-{refusals}") or picked:
        ask(query, analysis, conversation)
        refusals += 1  # the browser fills a field with the same text once: offered again in another one
        st.session_state[_REFUSALS], st.session_state[f"question-{refusals}"] = refusals, query
    st.chat_input("Ask about this repository", key=f"question-{refusals}", max_chars=4_000)


def show() -> None:
    """Draw the page."""
    analysis = frame.opened("chat")
    if analysis is None:
        return
    frame.heading(analysis)
    if not views.can_ask(analysis):
        not_yet(analysis)
        return
    named = parameter("conversation")
    st.session_state[f"conversation-{analysis.analysis_id}"] = named
    talks.choose(analysis.repository_id, named)
    conversation = attempt(lambda: client().conversations_one(named)) if named else None
    if conversation is not None:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            share.control("conversation", conversation.conversation_id)
            talks.document(conversation)
            bundles.conversation(conversation, analysis)
            talks.history(analysis.analysis_id, conversation)
            talks.deletion(conversation)
    talk(analysis, conversation)
    if conversation is not None:
        asked = [question.question_id for question in conversation.questions]
        browser.talk(conversation.conversation_id, conversation.version, asked)


show()
