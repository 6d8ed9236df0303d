"""What became of the files: how many for which reason, and which. And what could not be loaded at all."""

import streamlit as st

from runtime.client.shapes import AnalysisView, FilePage, FileView
from runtime.reasons import may_be_read
from web_ui import markup, outcomes, words
from web_ui.components import notices, paged, preflight
from web_ui.session import client, may_write

_PAGE = 200
_LEFT_OUT = "all that was left out or failed"


@st.fragment
def show(analysis: AnalysisView) -> None:
    """Counts by reason, and the paths on demand."""
    groups = outcomes.groups(analysis)
    if not groups:
        return
    facts = (markup.span("fact", fact) for fact in outcomes.facts(analysis))
    st.html('<h2 class="rs-section">Files</h2>' + markup.line(facts))
    rows = ((group.label, f"{group.files:,}", group.kind) for group in groups)
    st.html(markup.table(("Reason", "Files", "What it means"), rows, "rs-counts"))
    if not st.toggle("List the files", key=f"list-{analysis.analysis_id}"):
        return
    by_title = {f"{group.label}: {group.kind}": group.code for group in groups}
    chosen = st.selectbox("Which files", [_LEFT_OUT, *by_title], label_visibility="collapsed", width=420)
    code = by_title.get(chosen)
    if code and (said := words.meaning(code)):
        st.caption(said)
    files(analysis, code)


def read_all_the_same(analysis: AnalysisView, listed: list[FileView]) -> None:
    """Have the same commit analysed with some of what was left out."""
    patterns = outcomes.patterns_for(listed)
    if not patterns or not may_write() or analysis.state not in {"ready", "refined"}:
        return
    with st.expander("Analyse some of them all the same"), st.form(f"include-{analysis.analysis_id}", border=False):
        given = st.text_area("Patterns, one a line, as in .gitignore", value="\n".join(patterns), height=160)
        st.caption("The same commit is read again, with these files in it. What comes out takes this one's place.")
        if st.form_submit_button("Analyse again with these", type="primary"):
            include = [line for raw in given.splitlines() if (line := raw.strip())]
            wanted = [*dict.fromkeys([*analysis.include, *include])]
            if len(wanted) > outcomes.MOST_PATTERNS:
                notices.too_many_patterns(len(wanted))
                return
            preflight.begin(outcomes.again_with(analysis, wanted))


def files(analysis: AnalysisView, reason: str | None) -> None:
    """The paths with their reasons, a page at a time."""
    key = f"pages-{analysis.analysis_id}-{reason}"
    found = paged.read(key, lambda cursor: _page(analysis.analysis_id, reason, cursor))
    if found is None:
        return
    rows = ((file.path, outcomes.file_reason(file, reason), words.size(file.size)) for file in found.items)
    st.html(markup.table(("Path", "Reason", "Size"), rows, "rs-files"))
    if reason is None or may_be_read(reason):
        read_all_the_same(analysis, found.items)
    paged.more(key, found)


def _page(analysis_id: str, reason: str | None, cursor: str | None) -> FilePage:
    if reason is None:
        return client().contents_skipped(analysis_id, cursor=cursor, limit=_PAGE)
    return client().contents_files(analysis_id, reason=reason, cursor=cursor, limit=_PAGE)


def damage(analysis: AnalysisView) -> None:
    """What the log has and the page has not."""
    told = outcomes.damage(analysis)
    if told:
        listed = "".join(f"<li>{markup.text(line)}</li>" for line in told[:10])
        more = f"<p>and {len(told) - 10:,} more</p>" if len(told) > 10 else ""
        st.html(
            '<div class="rs-notice rs-warn"><strong>Something of this analysis cannot be shown</strong>'
            f"<ul>{listed}</ul>{more}</div>"
        )
