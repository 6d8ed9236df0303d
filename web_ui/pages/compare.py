"""Compare: what is different between two analyses of one repository: facts, times, answers to the same questions."""

import streamlit as st

from runtime.client.shapes import AnalysisView
from web_ui import compared, markup
from web_ui.components import frame, notices, paged, same_questions
from web_ui.session import attempt, client, parameter, zone

_LISTED = 50
_SHOWN = 200
_WHAT, _KIND, _LISTED_NOW = "compared-what", "compared-kind", "compared-now"


def choose(analysis: AnalysisView) -> str | None:
    """The other analysis of the repository; None, and a notice shown, where there is none."""
    key = f"others-{analysis.repository_id}"
    listed = paged.read(
        key,
        lambda cursor: client().analyses_newest(repository_id=analysis.repository_id, cursor=cursor, limit=_LISTED),
    )
    if listed is None:
        return None
    others = {one.analysis_id: one for one in listed.items if one.analysis_id != analysis.analysis_id}
    named = parameter("against")
    if not others and named is None:
        notices.empty(
            "There is nothing to compare with.", "Have the repository analysed once more: at another commit, or again."
        )
        return None
    ids = list(others)
    if named is not None and named not in others:
        ids = [named, *ids]
    at = zone()
    chosen = st.selectbox(
        "Compare with",
        ids,
        ids.index(named) if named is not None else 0,
        format_func=lambda id_: compared.option(others[id_], at) if id_ in others else id_,
        key=f"against-{analysis.analysis_id}",
    )
    paged.more(key, listed, "Older analyses")
    st.query_params["against"] = chosen
    return chosen


def differences(analysis: AnalysisView, against: str) -> None:
    """The lists, of one thing and one kind at a time; both stand in the address."""
    st.session_state.setdefault(_WHAT, compared.read_what(parameter("what")))
    st.session_state.setdefault(_KIND, compared.read_kind(parameter("kind")))
    kinds = (None, *compared.KINDS)
    with st.container(horizontal=True, gap="large"):
        what = st.radio("What", compared.WHATS, format_func=compared.title, horizontal=True, key=_WHAT)
        kind = st.radio("How", kinds, format_func=lambda one: (one or "all").capitalize(), horizontal=True, key=_KIND)
    st.query_params["what"] = what
    if kind is None:
        st.query_params.pop("kind", None)
    else:
        st.query_params["kind"] = kind
    listed = (analysis.analysis_id, against, what, kind)
    if st.session_state.setdefault(_LISTED_NOW, listed) != listed:  # another list: it begins at its first page
        st.session_state[_LISTED_NOW] = listed
        st.query_params.pop("cursor", None)
    cursor = parameter("cursor")
    found = attempt(
        lambda: client().comparing_differences(
            analysis.analysis_id, what, against=against, kind=kind, cursor=cursor, limit=_SHOWN
        )
    )
    if found is None:
        return
    if not found.items:
        notices.empty("Nothing is different here.", "Choose something else above, or another analysis.")
        return
    st.html(markup.table(("how", "what", "different"), compared.rows(found.items), "rs-differences"))
    if found.total > len(found.items):
        st.caption(f"{len(found.items):,} of {found.total:,} are shown.")
    if found.next is not None:
        address = {"analysis": analysis.analysis_id, "against": against, "what": what, "cursor": found.next}
        more = address | ({"kind": kind} if kind is not None else {})
        st.page_link("pages/compare.py", label="More", query_params=more, icon=":material/arrow_forward:")


def show() -> None:
    """Draw the page."""
    analysis = frame.opened("compare")
    if analysis is None:
        return
    frame.heading(analysis)
    against = choose(analysis)
    if against is None:
        return
    found = attempt(lambda: client().comparing_compared(analysis.analysis_id, against=against))
    if found is None:
        return
    for one in compared.lacking(found):
        notices.empty("Not all of it was read.", one)
    if compared.is_same(found) and not compared.lacking(found):
        notices.empty("Both have the same content.", "They differ in their times alone.")
    left, right = st.columns(2, gap="large")
    with left:
        st.html('<h2 class="rs-section">What is different</h2>')
        st.html(markup.table(("what", "added", "removed", "changed", "same"), compared.counts(found), "rs-numbers"))
        st.html(markup.table(("of the whole", "the other one", "this one"), compared.sides(found), "rs-numbers"))
    with right:
        st.html('<h2 class="rs-section">Time worked, stage by stage</h2>')
        st.html(
            markup.table(("stage", "the other one", "this one", "more"), compared.stages(found.stages), "rs-numbers")
        )
    st.html('<h2 class="rs-section">One by one</h2>')
    differences(analysis, against)
    same_questions.show(analysis, against)


show()
