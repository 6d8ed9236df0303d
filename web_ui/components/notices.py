"""What a page says instead of content: a problem, or that there is nothing yet."""

import streamlit as st

from runtime.client.client import local_problem
from runtime.client.shapes import Problem
from web_ui import markup
from web_ui.outcomes import MOST_PATTERNS


def problem(told: Problem) -> None:
    """An error as the API told it: what happened, what to do, and the code to quote."""
    title = f'<strong class="rs-title">{markup.text(told.title)}</strong>'
    detail = f"<p>{markup.text(told.detail)}</p>" if told.detail and told.detail != told.title else ""
    code = markup.span("code", told.code) if told.code else ""
    reference = markup.span("muted", f"reference {told.correlation_id}") if told.correlation_id else ""
    st.html(f'<div class="rs-notice rs-bad" role="alert">{title}{detail}<div>{code} {reference}</div></div>')


def failure(title: str, message: str | None, code: str | None) -> None:
    """That an analysis or a question failed, with its reason."""
    problem(local_problem(code or "", title, message or "", 0))


def empty(title: str, hint: str) -> None:
    """That there is nothing to show, and what brings something."""
    st.html(f'<div class="rs-notice"><strong>{markup.text(title)}</strong><p>{markup.text(hint)}</p></div>')


def too_many_patterns(given: int) -> None:
    """More patterns than one request may have."""
    empty(f"{given:,} patterns are too many.", f"One analysis takes {MOST_PATTERNS}: name folders, or use wildcards.")
