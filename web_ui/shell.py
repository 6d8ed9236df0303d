"""The script that every session runs: the frame, then the page that the address names."""

import streamlit as st

from runtime.client import ApiError
from web_ui.components import browser, notices, signed_out
from web_ui.session import look_by, told_before, ways_in

st.set_page_config(layout="wide")  # the titles are the pages' own
page = st.navigation(
    [
        st.Page("pages/start.py", title="Repostream", url_path="start", default=True),
        st.Page("pages/repositories.py", title="Repositories · Repostream", url_path="repositories"),
        st.Page("pages/analysis.py", title="Analysis · Repostream", url_path="analysis"),
        st.Page("pages/chat.py", title="Chat · Repostream", url_path="chat"),
        st.Page("pages/events.py", title="Events · Repostream", url_path="events"),
        st.Page("pages/shadows.py", title="Shadows · Repostream", url_path="shadows"),
        st.Page("pages/fork.py", title="Fork · Repostream", url_path="fork"),
        st.Page("pages/compare.py", title="Compare · Repostream", url_path="compare"),
        st.Page("pages/keys.py", title="Keys · Repostream", url_path="keys"),
        st.Page("pages/webhooks.py", title="Webhooks · Repostream", url_path="webhooks"),
        st.Page("pages/people.py", title="People · Repostream", url_path="people"),
        st.Page("pages/installation.py", title="Installation · Repostream", url_path="installation"),
        st.Page("pages/audit.py", title="Audit trail · Repostream", url_path="audit"),
        st.Page("pages/letters.py", title="Parked messages · Repostream", url_path="letters"),
        st.Page("pages/upkeep.py", title="Read models · Repostream", url_path="upkeep"),
        st.Page("pages/account.py", title="Account · Repostream", url_path="account"),
        st.Page("pages/team.py", title="Team · Repostream", url_path="team"),
        st.Page("pages/invitation.py", title="Invitation · Repostream", url_path="invitation"),
        st.Page("pages/shared.py", title="Shared · Repostream", url_path="shared"),
    ],
    position="hidden",
)
look_by(None)
if page.url_path == "shared":  # the link alone suffices
    page.run()
    st.stop()
try:
    ways = ways_in()
except ApiError as error:
    notices.problem(error.problem)
    st.stop()
if ways:
    if page.url_path == "invitation":
        browser.link_secret("rsi_", stays=False)  # kept until whoever was invited has signed in
    signed_out.show(ways)
else:
    if refused := told_before():
        notices.problem(refused)
    page.run()
