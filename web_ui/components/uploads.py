"""Where an archive is dropped, with what of it is to be read; and the uploads that are kept."""

from datetime import datetime

import streamlit as st

from runtime.client.shapes import AnalysisRequest, UploadView
from web_ui import words
from web_ui.components import browser, cards, notices, preflight
from web_ui.outcomes import MOST_PATTERNS
from web_ui.session import attempt, client, zone

_SHOWN = 50


def ask() -> None:
    """The box; an archive that has come just now is asked for as any repository is."""
    with st.expander("Of an archive: one folder, or files that are usually left out"):
        folder = st.text_input("Only this folder of it", placeholder="all of it", max_chars=1_024)
        given = st.text_area("Read all the same of it", placeholder="third_party/zlib/\n*.min.js", height=90)
        st.caption("Patterns as in .gitignore, one a line. Give them before the archive is dropped.")
    sent = browser.upload()
    if sent is None:
        return
    include = [line for raw in given.splitlines() if (line := raw.strip())]
    if len(include) > MOST_PATTERNS:
        notices.too_many_patterns(len(include))
        return
    wanted = AnalysisRequest(url=sent.url, ref=None, folder=folder.strip() or None, include=include)
    preflight.ask(wanted, only_look=False)


def kept() -> None:
    """The uploads that are kept, on demand; one that nothing was made of can be deleted."""
    if not st.toggle("Show the uploads that are kept", key="kept-uploads"):
        return
    page = attempt(lambda: client().uploads_listed(limit=_SHOWN))
    if page is None:
        return
    if not page.items:
        notices.empty("No upload is kept.", "One that is not analysed goes after a day.")
    for each in page.items:
        row(each)


def row(upload: UploadView) -> None:
    """One upload."""
    of = upload.upload_id
    with st.container(border=True, key=f"upload-{of}", horizontal=True, vertical_alignment="center"):
        used = "a repository was made of it" if upload.repositories else "not analysed"
        when = words.ago(upload.uploaded_at, datetime.now(zone()))
        cards.begin(upload.name, [upload.kind, words.size(upload.bytes), when, used])
        if not upload.repositories:
            cards.confirmed(
                "Delete",
                key=f"delete-upload-{of}",
                warning="The file is deleted here; it can be uploaded again.",
                do=lambda: client().uploads_delete(of),
            )
