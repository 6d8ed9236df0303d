"""The script that every session runs: the frame, then the page that the address names."""

import streamlit as st

from web_ui.components import frame

st.set_page_config(layout="wide")  # the titles are the pages' own
page = st.navigation(
    [
        st.Page("pages/start.py", title="Repostream", url_path="start", default=True),
        st.Page("pages/analysis.py", title="Analysis · Repostream", url_path="analysis"),
        st.Page("pages/chat.py", title="Chat · Repostream", url_path="chat"),
        st.Page("pages/events.py", title="Events · Repostream", url_path="events"),
    ],
    position="hidden",
)
frame.style()
page.run()
