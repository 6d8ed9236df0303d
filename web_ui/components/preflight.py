"""What the repository's host said before an analysis: shown, and what may follow from it."""

from datetime import datetime

import streamlit as st

from runtime.client import ApiError
from runtime.client.shapes import AnalysisRequest, AnalysisView, PreflightView
from runtime.upload_url import HOST
from web_ui import markup
from web_ui.components import notices
from web_ui.looking import MAY_GO_ON, preflight_facts, ref_names, settled
from web_ui.session import attempt, client, zone
from web_ui.words import ago

_LOOKED = "looked"


def look(wanted: AnalysisRequest, *, only_look: bool) -> PreflightView | None:
    """Ask the host; None where it cannot be asked now and an analysis will ask again anyway. Raises ApiError."""
    st.session_state.pop(_LOOKED, None)
    with st.spinner("Asking the host…"):
        try:
            return client().analyses_preflight(wanted)
        except ApiError as error:
            if only_look or error.problem.code not in MAY_GO_ON:
                raise
    return None


def begin(wanted: AnalysisRequest) -> None:
    """Have it analysed; on success the analysis' page takes the place of this one."""
    begun = attempt(lambda: client().analyses_begin(wanted))
    if begun is not None:
        open_page(begun)


def open_page(analysis: AnalysisView) -> None:
    """Show the analysis."""
    st.session_state.pop(_LOOKED, None)
    st.switch_page("pages/analysis.py", query_params={"analysis": analysis.analysis_id})


def ask(wanted: AnalysisRequest, *, only_look: bool) -> None:
    """Look first; begin, unless that was all, or a finished analysis of the same commit is offered instead."""
    found = attempt(lambda: (look(wanted, only_look=only_look),))
    if found is None:
        return
    [looked] = found
    if looked is None:
        begin(wanted)
    elif only_look or looked.finished is not None:
        st.session_state[_LOOKED] = (settled(wanted, looked), looked)
    else:
        begin(settled(wanted, looked))


def show() -> None:
    """What was found by the last look, with what can be done about it."""
    wanted, looked = st.session_state.get(_LOOKED, (None, None))
    if not isinstance(wanted, AnalysisRequest) or not isinstance(looked, PreflightView):
        return
    with st.container(border=True, key="looked"):
        st.html(f'<strong class="rs-title">{markup.text(looked.name)}</strong>')
        st.html(markup.line(f"<span>{markup.text(fact)}</span>" for fact in preflight_facts(looked)))
        finished = looked.finished
        if finished is not None:
            when = f"It was asked for {ago(finished.requested_at, datetime.now(zone()))}"
            what, since = ("file", "") if looked.host == HOST else ("commit", ", and nothing has changed at that ref")
            notices.empty(f"This {what} was analysed already.", f"{when}{since}.")
            st.page_link(
                "pages/analysis.py", label="Open that analysis", query_params={"analysis": finished.analysis_id}
            )
        if names := ref_names(looked):
            with st.expander("Branches and tags"):
                st.html(f"<p>{markup.text(names)}</p>")
        if st.button("Analyse it" if finished is None else "Analyse it again", key="begin-looked"):
            begin(wanted.model_copy(update={"force": True}))
