"""The installation: its services and queues, what each team uses, and what is set. For administrators."""

import streamlit as st

from web_ui import installation, markup
from web_ui.components import cards, frame, notices
from web_ui.session import administrates, attempt, client, parameter

_PAGE = 20
_OTHERS = (
    "These are the orchestrator's. The other services have settings of their own: `repostream config check` says the "
    "same of all that are in the environment in which it is run."
)


def _services() -> None:
    st.html('<h2 class="rs-section">Services</h2>')
    found = attempt(client().installation_services)
    if found is not None:
        st.html(markup.marked_table(installation.SERVICES, installation.services(found.items)))


def _queues() -> None:
    st.html('<h2 class="rs-section">Queues</h2>')
    found = attempt(client().installation_queues)
    if found is None:
        return
    told, is_bad = installation.conclusion(found)
    (st.warning if is_bad else st.write)(told)
    st.html(markup.marked_table(installation.QUEUES, installation.queues(found.items), "rs-numbers"))


def _teams() -> None:
    st.html('<h2 class="rs-section">Teams</h2>')
    page = attempt(lambda: client().installation_teams(cursor=parameter("cursor"), limit=_PAGE))
    if page is None:
        return
    for team in page.items:
        with st.container(border=True, key=f"team-{team.tenant_id}"):
            cards.begin(team.name, installation.team(team))
    if page.next is not None:
        more = {"cursor": page.next}
        st.page_link("pages/installation.py", label="More", query_params=more, icon=":material/arrow_forward:")


def _settings() -> None:
    st.html('<h2 class="rs-section">Settings</h2>')
    found = attempt(client().installation_settings)
    if found is None:
        return
    st.write(_OTHERS)
    if found.items:
        st.html(markup.marked_table(installation.SETTINGS, installation.settings(found.items), "rs-files rs-settings"))
    else:
        notices.empty("Nothing is set.", "Everything is as this release has it.")


def show() -> None:
    """Draw the page."""
    frame.top()
    if not administrates():
        notices.empty("There is no such page for you.", "It is for administrators of the installation.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html('<h1 class="rs-hero">Installation</h1>')
        st.button("Look again", key="again", icon=":material/refresh:")
    _services()
    _queues()
    _teams()
    _settings()


show()
