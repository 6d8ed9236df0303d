"""The script that every session runs: the frame, then the page that the address names."""

import streamlit as st

from runtime.client import ApiError
from web_ui.components import frame, notices, signed_out
from web_ui.session import ways_in

st.set_page_config(layout="wide")  # the titles are the pages' own
page = st.navigation(
    [
        st.Page("pages/start.py", title="Repostream", url_path="start", default=True),
        st.Page("pages/analysis.py", title="Analysis · Repostream", url_path="analysis"),
        st.Page("pages/chat.py", title="Chat · Repostream", url_path="chat"),
        st.Page("pages/events.py", title="Events · Repostream", url_path="events"),
        st.Page("pages/keys.py", title="Keys · Repostream", url_path="keys"),
        st.Page("pages/webhooks.py", title="Webhooks · Repostream", url_path="webhooks"),
        st.Page("pages/people.py", title="People · Repostream", url_path="people"),
        st.Page("pages/audit.py", title="Audit trail · Repostream", url_path="audit"),
        st.Page("pages/account.py", title="Account · Repostream", url_path="account"),
    ],
    position="hidden",
)
frame.style()
try:
    ways = ways_in()
except ApiError as error:
    notices.problem(error.problem)
    st.stop()
if ways:
    signed_out.show(ways)
else:
    page.run()
