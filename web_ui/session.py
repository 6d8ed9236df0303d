"""What the pages share: the client of this process, and the state that the address bar holds."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from runtime.client import ApiError, Client
from runtime.client.shapes import AnalysisView
from web_ui.components.notices import empty, problem

T = TypeVar("T")
_clients: list[Client] = []


def use(client: Client) -> None:
    """Make `client` the one that all sessions of this process use."""
    _clients[:] = [client]


def client() -> Client:
    """The client that `app.make_app` was given."""
    return _clients[0]


def parameter(name: str) -> str | None:
    """One parameter of the page's address."""
    value = st.query_params.get(name)
    return value or None


def attempt(ask: Callable[[], T]) -> T | None:
    """What `ask` gives; None, and the problem shown in its place, where the API refuses."""
    try:
        return ask()
    except ApiError as error:
        problem(error.problem)
        return None


def chosen_analysis() -> AnalysisView | None:
    """The analysis that the address names; None, and a notice shown, where there is none."""
    analysis_id = parameter("analysis")
    if analysis_id is None:
        empty("No analysis is chosen.", "Start one, or pick a recent one on the start page.")
        return None
    return attempt(lambda: client().analyses_one(analysis_id))
