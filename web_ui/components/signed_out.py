"""What whoever is not signed in sees: what this is, why they did not come in, and the ways to."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from runtime.client.client import local_problem
from web_ui import markup
from web_ui.components.notices import problem
from web_ui.sign_in import Way

REASON = "sign_in"  # the parameter in which the orchestrator says why somebody was not let in
_WHY = {
    "sign_in_expired": ("That sign-in is over", "It took too long, or began in another window. Begin it again."),
    "sign_in_denied": ("You were not signed in", "The sign-in was cancelled there. Begin it again whenever you like."),
    "sign_in_refused": ("You were not signed in", "The other side did not confirm who you are. Begin it again."),
    "provider_unavailable": ("The sign-in does not answer", "It is down or busy at the moment. Try again in a minute."),
    "not_invited": ("You are not invited yet", "This installation is for certain people: ask whoever runs it."),
    "account_suspended": ("Your account is suspended", "Ask whoever runs this installation."),
}


def show(ways: Iterable[Way]) -> None:
    """Draw it in place of a page."""
    st.html(
        '<p class="rs-brand">Repostream</p>'
        '<h1 class="rs-hero">Ask a repository anything</h1>'
        '<p class="rs-lead">Paste its URL and watch every stage. Answers cite the exact lines at the exact commit.</p>'
    )
    why = _WHY.get(st.query_params.get(REASON, ""))
    if why is not None:
        problem(local_problem(st.query_params[REASON], *why, 401))
    address = st.context.url or "/"
    st.html("".join(button(way, address) for way in ways))


def button(way: Way, address: str) -> str:
    """The link to sign in by `way` and come back to the page at `address`."""
    query = urlencode({"provider": way.name, "then": here(address)})
    link = markup.text(f"/auth/login?{query}")
    return f'<a class="rs-sign-in" target="_self" href="{link}">Sign in with {markup.text(way.label)}</a>'


def here(address: str) -> str:
    """The path of a page's address, without the reason of a refusal."""
    parts = urlsplit(address)
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] != REASON])
    return (parts.path or "/") + (f"?{query}" if query else "")
