"""One shadow on a page: how far it is, what is different, and what can be done with it."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import ShadowReport, ShadowView
from web_ui import markup, shadowed
from web_ui.components import browser, cards, notices
from web_ui.session import attempt, client, zone

_PROMOTE = (
    "What it made takes the place of what serves, all at once, as the next attempt at each of its runs. "
    "What served stays in the log."
)
_DROP = "All that it made goes. Nothing that serves is touched."
_FOUND = ("question", "the same", "moved", "gained", "lost")
_PLACES = ("question", "passage", "place, serving", "in the shadow")
_ANSWERS = ("question", "different", "as it was answered", "by the present code")
_ROWS = ("rows", "serving", "shadow", "same", "added", "removed", "changed")


def card(shadow: ShadowView) -> None:
    """One in the list, with the way to it."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"shadow-{shadow.shadow_id}"):
        cards.begin(shadowed.title(shadow.stage), shadowed.facts(shadow, datetime.now(zone())), shadowed.state(shadow))
        address = {"analysis": shadow.analysis_id, "shadow": shadow.shadow_id}
        st.page_link("pages/shadows.py", label="Look", query_params=address, icon=":material/arrow_forward:")
        _dropping(shadow, f"drop-{shadow.shadow_id}")


def show(shadow: ShadowView) -> None:
    """Draw the one that is looked at."""
    st.html(f'<h2 class="rs-section">{markup.text(shadowed.title(shadow.stage))}</h2>')
    if shadow.state == "asked":
        _follow(shadow.shadow_id)
        return
    if shadow.state == "failed":
        notices.failure("Nothing came of it", shadow.message, shadow.code)
        return
    agrees = shadow.report.agrees and not shadow.message
    tone = "good" if agrees or shadow.promoted_at is not None else "warn"
    st.html(f'<div class="rs-notice rs-{tone}" role="status">{markup.text(shadowed.conclusion(shadow))}</div>')
    _promoting(shadow)
    _report(shadow.report)


@st.fragment
def _follow(shadow_id: str) -> None:
    """The shadow as it is now; the whole page is drawn once more when it is over."""
    shadow = attempt(lambda: client().shadows_one(shadow_id))
    if shadow is None or shadow.state != "asked":
        st.rerun()
    done, said = shadowed.progress(shadow)
    st.progress(done, said)
    browser.work(f"shadows/{shadow_id}", shadow.state, shadow.runs_ended)


def _promoting(shadow: ShadowView) -> None:
    if shadow.promoted_at is not None:
        st.html(markup.line([markup.span("fact", "It took the place of what served.")]))
    elif shadow.not_promotable is not None:
        notices.empty("It cannot take the place of what serves.", shadow.not_promotable)
    else:
        of = shadow.shadow_id
        cards.confirmed("Promote", key=f"promote-{of}", warning=_PROMOTE, do=lambda: client().shadows_promote(of))


def _dropping(shadow: ShadowView, key: str) -> None:
    def drop() -> None:
        client().shadows_drop(shadow.shadow_id)
        st.query_params.pop("shadow", None)

    cards.confirmed("Drop", key=key, warning=_DROP, do=drop)


def _report(report: ShadowReport) -> None:
    for said in shadowed.columns(report):
        st.caption(markup.label(said))
    for title, head, rows, kind in _tables(report):
        if rows:
            st.html(f'<h2 class="rs-section">{markup.text(title)}</h2>' + markup.table(head, rows, kind))
    if told := shadowed.shown(report):
        st.caption(markup.label(told))


def _tables(report: ShadowReport) -> list[tuple[str, tuple[str, ...], list[shadowed.Row], str]]:
    """Title, head, rows and style of each table."""
    return [
        ("Rows", _ROWS, shadowed.tables(report), "rs-numbers"),
        ("Counts", ("counted", "serving", "shadow"), shadowed.counts(report), "rs-numbers"),
        ("Facts", ("shard", "where", "serving", "shadow"), shadowed.changes(report), "rs-sides"),
        ("Searches", _FOUND, shadowed.searches(report), "rs-numbers"),
        ("Passages with another place", _PLACES, shadowed.passages(report), "rs-sides"),
        ("Answers", _ANSWERS, shadowed.answers(report), "rs-sides"),
        ("Citations", ("question", "how", "place"), shadowed.cited(report), "rs-sides"),
        ("Decisions", ("as it was decided", "by the present code"), shadowed.decisions(report), "rs-sides"),
        ("Not recorded", ("what nothing is recorded of",), shadowed.missing(report), "rs-sides"),
        *(
            (shadowed.kind(name), ("how", "what", "different"), shadowed.examples(table), "rs-differences")
            for name, table in report.tables.items()
        ),
    ]
