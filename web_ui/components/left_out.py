"""The files that are not in the index: how many for which reason, and which."""

import streamlit as st

from web_ui import markup, words
from web_ui.session import attempt, client
from web_ui.shapes import Analysis, File

_PAGE = 200


def show(analysis: Analysis) -> None:
    """Counts by reason, and the paths on demand."""
    rows = [
        *((words.reason(code), f"{number:,}", "failed") for code, number in _ranked(analysis.failed)),
        *((words.reason(code), f"{number:,}", "skipped on purpose") for code, number in _ranked(analysis.skipped)),
    ]
    if not rows:
        return
    total = sum(analysis.failed.values()) + sum(analysis.skipped.values())
    st.html(f'<h2 class="rs-section">Left out: {markup.text(words.count(total, "file"))}</h2>')
    st.html(markup.table(("Reason", "Files", "Kind"), rows))
    if st.toggle("List the files", key=f"list-{analysis.analysis_id}"):
        files(analysis)


def files(analysis: Analysis) -> None:
    """The paths with their reasons, a page at a time."""
    key = f"pages-{analysis.analysis_id}"
    found: list[File] = []
    cursor: str | None = None
    for _ in range(st.session_state.get(key, 1)):
        page = attempt(lambda at=cursor: client().skipped(analysis.analysis_id, at, _PAGE))  # type: ignore[misc]  # a default binds the cursor of this round
        if page is None:
            return
        found.extend(page.items)
        cursor = page.next
        if cursor is None:
            break
    st.html(markup.table(("Path", "Reason", "Size"), (_row(file) for file in found), "rs-files"))
    if cursor is not None and st.button("Show more", key=f"more-{analysis.analysis_id}"):
        st.session_state[key] = st.session_state.get(key, 1) + 1
        st.rerun()


def _row(file: File) -> tuple[str, str, str]:
    return file.path, words.reason(file.failed or file.skipped or ""), words.size(file.size)


def _ranked(reasons: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda row: (-row[1], row[0]))
