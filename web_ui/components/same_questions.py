"""What was asked at two analyses of a repository: both answers beside each other, each with the lines that it cites."""

import streamlit as st

from runtime.client.shapes import AnalysisView, QuestionCompared, QuestionView
from web_ui import answered, markup, views
from web_ui.components import browser, notices, source_panel
from web_ui.session import attempt, client, parameter, zone
from web_ui.words import read_place

_SHOWN = 20
_NONE = "No question was answered at both."
_HOW = "Ask the same at each of the two: both answers then stand here, beside each other."


def show(analysis: AnalysisView, against: str) -> None:
    """Draw the questions that both have an answer to."""
    page = attempt(lambda: client().comparing_answers(analysis.analysis_id, against=against, limit=_SHOWN))
    if page is None:
        return
    st.html('<h2 class="rs-section">Answers to the same questions</h2>')
    if not page.items:
        notices.empty(_NONE, _HOW)
    for one in page.items:
        _pair(one, analysis)
    if left := answered.rest(page):
        st.caption(left)


def _pair(one: QuestionCompared, analysis: AnalysisView) -> None:
    conclusion = markup.line([markup.span("fact", answered.conclusion(one))])
    st.html(f'<h3 class="rs-asked">{markup.text(one.query)}</h3>{conclusion}')
    left, right = st.columns(2, gap="large")
    asked = one.after.question_id
    with left:
        _answer("The other one", one.before, analysis, asked)
    with right:
        _answer("This one", one.after, analysis, asked)
    place, of = read_place(parameter("open")), parameter("at")
    if place is not None and of is not None and parameter("asked") == asked:
        source_panel.show(of, place)


def _answer(side: str, said: QuestionView, analysis: AnalysisView, asked: str) -> None:
    st.caption(markup.label(answered.title(side, said)))
    data = views.answer_data(said, analysis.url, zone())
    opened = browser.answer(data, key=f"compared-{asked}-{side}").opened
    if opened:
        st.query_params.update(open=opened, at=said.analysis_id or analysis.analysis_id, asked=asked)
