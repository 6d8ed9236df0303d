"""A card for one thing that somebody has: what it is, its state, one line of facts, and what can be done with it."""

from collections.abc import Callable, Iterable

import streamlit as st

from web_ui import markup
from web_ui.session import attempt


def begin(title: str, facts: Iterable[str], state: tuple[str, str] | None = None) -> None:
    """The text of a card, inside of a horizontal container."""
    name = markup.span("name-small", title)
    pill = markup.pill(*state) if state is not None else ""
    line = markup.line(f"<span>{markup.text(fact)}</span>" for fact in facts if fact)
    st.html(markup.line([name, pill], "heading") + line, width="stretch")


def confirmed(verb: str, *, key: str, warning: str, do: Callable[[], object]) -> None:
    """A button that says first what it does, and does it when asked again; the page is drawn anew then."""
    with st.popover(verb, width="content", key=f"ask-{key}"):  # of its own: the next one would begin opened
        st.write(markup.label(warning))
        done = st.button(f"Yes, {verb[0].lower()}{verb[1:]}", key=key, type="primary") and attempt(lambda: _done(do))
    if done:
        st.rerun()


def _done(do: Callable[[], object]) -> bool:
    do()
    return True


def secret(title: str, value: str) -> None:
    """A secret that is shown this once: it is in no state of the session, and gone with the next click."""
    st.html(
        f'<div class="rs-notice rs-good" role="status"><strong class="rs-title">{markup.text(title)}</strong>'
        "<p>Copy it now: it is not kept, and not shown again.</p></div>"
    )
    st.code(value, language=None, wrap_lines=True)
