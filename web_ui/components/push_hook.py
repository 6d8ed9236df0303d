"""A repository's push hook: make it, give it another secret, see what it was told, end it. Nothing for viewers."""

from datetime import datetime

import streamlit as st

from runtime.client import ApiError
from runtime.client.shapes import AnalysisView, PushHookView
from runtime.upload_url import SCHEME
from web_ui import markup
from web_ui.components import cards
from web_ui.components.notices import problem
from web_ui.programs import push_hook_facts
from web_ui.session import attempt, client, zone

_NOT_UNDERSTOOD = ("https://bitbucket.org/",)  # signs in a way of its own (docs/decisions/0235-push-hooks.md)
_WARNINGS = {
    "Make a new secret": "What the host sends with the secret of now is refused until you give it the new one.",
    "Remove the hook": "Pushes are no longer analysed. A new hook has another secret.",
}


def control(analysis: AnalysisView) -> None:
    """The button, and what it opens: asked for once it is open. None where no host could call."""
    if analysis.url.startswith((SCHEME, *_NOT_UNDERSTOOD)):
        return
    of = analysis.repository_id
    opened = st.popover("Refresh on push", icon=":material/webhook:", key=f"push-hook-{of}", on_change="rerun")
    with opened:
        st.write(
            "The repository's host (GitHub, GitLab, Gitea, Forgejo) tells of each push, and a push to the analysed "
            "branch is analysed at once: in your name, within your limits. What did not change is taken over."
        )
        if not opened.open:
            return
        found = _hook(of)
        if found is not None:
            facts = push_hook_facts(found, datetime.now(zone()))
            st.html(markup.line(markup.span("fact", fact) for fact in facts))
            st.code(found.url, language=None, wrap_lines=True)
        key = f"make-hook-{of}"
        if st.button("Make the hook", type="primary", key=key) if found is None else _sure("Make a new secret", key):
            made = attempt(lambda: client().push_hooks_make(of))
            if made is not None:
                cards.secret("The secret", made.secret)
                st.caption("The address that the host is to call, for pushes, as JSON:")
                st.code(made.url, language=None, wrap_lines=True)
        elif found is not None and _sure("Remove the hook", f"remove-hook-{of}") and attempt(lambda: _end(of)):
            st.rerun()


def _sure(verb: str, key: str) -> bool:
    """A part that says what its button does; whether that was pressed. A popover here would close the one around."""
    with st.expander(verb):
        st.write(_WARNINGS[verb])
        return st.button(f"Yes, {verb[0].lower()}{verb[1:]}", key=key, type="primary")


def _hook(repository_id: str) -> PushHookView | None:
    try:
        return client().push_hooks_one(repository_id)
    except ApiError as error:
        if error.problem.code != "not_found":
            problem(error.problem)
        return None


def _end(repository_id: str) -> bool:
    client().push_hooks_remove(repository_id)
    return True
