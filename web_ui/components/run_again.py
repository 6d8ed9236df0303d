"""Have a stage of a ready analysis run again, one shard of it, or the files that failed. Nothing for viewers."""

import streamlit as st

from runtime.client.shapes import AnalysisView, RetryBody
from web_ui import views, words
from web_ui.session import attempt, client, may_write

_FILES = "the files that failed"


def control(analysis: AnalysisView) -> None:
    """The button, and what it opens."""
    stages = views.repeatable(analysis)
    if not stages or not may_write():
        return
    of = analysis.analysis_id
    opened = st.popover("Run again", icon=":material/replay:", key=f"again-{of}", on_change="rerun")
    with opened:
        if not opened.open:
            return
        st.write(
            "It runs as a new attempt, then what is made of its result. Until that is there, what is there serves."
        )
        wanted = _chosen(of, stages, files=views.has_failed_files(analysis))
        if st.button("Run it", type="primary", key=f"run-{of}"):
            asked = attempt(lambda: client().analyses_retry(of, wanted))
            if asked is not None:
                st.rerun()


def _chosen(of: str, stages: dict[str, int], *, files: bool) -> RetryBody:
    """What a person wants, as a retry says it."""
    which = st.selectbox("What", [*([_FILES] if files else []), *stages], key=f"stage-{of}")
    shards = stages.get(which, 1)
    shard = None
    if shards > 1:
        shard = st.selectbox(
            "Which shard",
            [None, *range(shards)],
            format_func=words.shard_named,
            key=f"shard-{of}",
        )
    reason = st.text_input("Why", max_chars=500, key=f"reason-{of}", placeholder="Kept in the log, with your name")
    named = {"files": True} if which == _FILES else {"stage": which, "shard": shard}
    return RetryBody.model_validate({**named, "reason": reason})
