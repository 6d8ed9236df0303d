"""Start: paste a repository's address, or drop an archive; the recent analyses."""

from typing import TypedDict

import streamlit as st

from runtime.client.shapes import AnalysisRequest
from web_ui.components import analysis_list, bundles, frame, notices, preflight, uploads
from web_ui.outcomes import MOST_PATTERNS
from web_ui.session import attempt, client, may_write

_RECENT = 30


class More(TypedDict):
    """What the folded part of the form asks for."""

    folder: str | None
    token: str | None
    include: list[str]
    history: int


def ask_for_address() -> None:
    """The form; on success the analysis' page takes its place."""
    with st.form("start", border=False, enter_to_submit=True):
        left, middle, right = st.columns((6, 2.2, 1.3), vertical_alignment="bottom")
        url = left.text_input("Repository URL", placeholder="https://github.com/pallets/flask", max_chars=2_000)
        ref = middle.text_input("Branch, tag or commit", placeholder="default branch", max_chars=255)
        submitted = right.form_submit_button("Analyse", type="primary", width="stretch")
        more, only_look = ask_for_more()
    if not submitted and not only_look:
        preflight.show()
        return
    if not url.strip():
        notices.empty("Paste a repository's URL first.", "For example https://github.com/pallets/flask")
        return
    if len(more["include"]) > MOST_PATTERNS:
        notices.too_many_patterns(len(more["include"]))
        return
    wanted = AnalysisRequest.model_validate({"url": url.strip(), "ref": ref.strip() or None, **more})
    preflight.ask(wanted, only_look=only_look)
    preflight.show()


def ask_for_more() -> tuple[More, bool]:
    """A folder, a token, a depth of history, patterns and whether only to look, folded away.

    The browser is told to keep and to fill in nothing.
    """
    with st.expander("One folder, a private repository, or files that are usually left out"):
        folder = st.text_input("Only this folder", placeholder="all of it", max_chars=1_024)
        history = st.number_input(
            "Commits of history to read",
            min_value=0,
            value=0,
            step=500,
            help="Who changed what, how often, and what was said of it, which searches go by; 0 for none.",
        )
        token = st.text_input("Access token", type="password", max_chars=4_000, autocomplete="new-password")
        st.caption(
            "Used for this one analysis, shown to the repository's host alone, forgotten once the code is read. "
            "On GitHub a fine-grained token with “Contents: read-only” is enough."
        )
        include = st.text_area(
            "Read all the same", placeholder="third_party/zlib/\n*.min.js", max_chars=10_000, height=90
        )
        st.caption("Patterns as in .gitignore, one a line: such files are read although a rule leaves them out.")
        only_look = st.form_submit_button("Look first")
    patterns = [line for raw in include.splitlines() if (line := raw.strip())]
    return More(
        folder=folder.strip() or None, token=token.strip() or None, include=patterns, history=int(history)
    ), only_look


def ask_for_either() -> None:
    """The form, and where an archive is dropped: once it has come, it is asked for as any repository is."""
    form = st.container()
    uploads.ask()
    with form:
        ask_for_address()
    bundles.ask()
    uploads.kept()


def recent() -> None:
    """The newest analyses, the newest first."""
    page = attempt(lambda: client().analyses_newest(limit=_RECENT))
    if page is None:
        return
    analyses = page.items
    st.html('<h2 class="rs-section">Recent</h2>')
    if not analyses:
        notices.empty("Nothing has been analysed yet.", "The first one takes from a few seconds to a few minutes.")
    analysis_list.show(analyses)
    if page.next is not None:
        st.page_link("pages/repositories.py", label="All repositories", icon=":material/arrow_forward:")


def show() -> None:
    """Draw the page."""
    frame.top()
    st.html(
        '<h1 class="rs-hero">Ask a repository anything</h1>'
        '<p class="rs-lead">Paste its URL or drop an archive, and watch every stage. '
        "Answers cite exact lines at the exact commit.</p>"
    )
    if may_write():
        ask_for_either()
    else:
        notices.empty("You are a viewer here.", "Members have repositories analysed: an owner can make you one.")
    recent()


show()
