"""What the team has of each thing that is counted, and how much of it is allowed."""

import streamlit as st

from web_ui import markup
from web_ui.session import attempt, client
from web_ui.usage import usage_rows


def show() -> None:
    """Draw it."""
    found = attempt(client().usage_usage)
    if found is None:
        return
    st.html('<h2 class="rs-section">Usage</h2>')
    with st.container(border=True, key="usage"):
        lines = (markup.span("name", title) + " " + markup.text(told) for title, told in usage_rows(found.quotas))
        st.html("".join(f"<div>{line}</div>" for line in lines))
