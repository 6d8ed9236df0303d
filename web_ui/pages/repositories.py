"""Repositories: all that were analysed, each by its newest analysis, found by a part of their name."""

import streamlit as st

from web_ui.components import analysis_list, frame, notices
from web_ui.session import attempt, client, parameter

_PAGE = 30


def search() -> dict[str, str]:
    """The form. What is looked for stands in the page's address; another search begins at its first page."""
    name = parameter("name") or ""
    with st.form("repositories", border=False, enter_to_submit=True):
        left, right = st.columns((6, 1.3), vertical_alignment="bottom")
        written = left.text_input("Name or address", name, placeholder="pallets/flask", max_chars=200)
        if right.form_submit_button("Search", type="primary", width="stretch"):
            name = written.strip()
            st.query_params.from_dict({"name": name} if name else {})
            st.rerun()  # with the field as the address has it: else what is written next would be dropped
    return {"name": name} if name else {}


def show() -> None:
    """Draw the page."""
    frame.top()
    st.html('<h1 class="rs-hero">Repositories</h1>')
    wanted = search()
    page = attempt(
        lambda: client().contents_repositories(name=wanted.get("name"), cursor=parameter("cursor"), limit=_PAGE)
    )
    if page is None:
        return
    analysed = [repository.latest for repository in page.items if repository.latest is not None]
    if not analysed:
        notices.empty("No repository fits.", "Look for a part of a name or of an address.")
    analysis_list.show(analysed)
    if page.next is not None:
        older = wanted | {"cursor": page.next}
        st.page_link("pages/repositories.py", label="Older ones", query_params=older, icon=":material/arrow_forward:")


show()
