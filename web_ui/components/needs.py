"""The dependencies of a repository: by manifest and scope, each with the line it stands on."""

import streamlit as st

from runtime.client.shapes import AnalysisView, DependencyView
from web_ui import markup, needs
from web_ui.components import paged, source_panel
from web_ui.session import client, parameter

_PAGE = 200
_SHOWN = 15  # of one manifest before the rest is folded
_ALL_ECOSYSTEMS, _ALL_SCOPES = "all ecosystems", "all scopes"
_HEAD = ("Name", "Asked for", "Chosen", "Scope", "Line")


@st.fragment
def show(analysis: AnalysisView) -> None:
    """How many there are; the list, and an opened line of a manifest, on demand."""
    told = needs.facts(analysis)
    if not told:
        return
    st.html('<h2 class="rs-section">Dependencies</h2>' + markup.line(markup.span("muted", fact) for fact in told))
    is_here = parameter("at") == needs.HERE
    source_panel.opened(analysis.analysis_id, needs.HERE)
    if not st.toggle("List the dependencies", value=is_here, key=f"needs-{analysis.analysis_id}"):
        return
    if unread := needs.unread(analysis.metadata):
        st.html(markup.table(("Manifest that cannot be read", "Why"), unread, "rs-files"))
    with st.container(horizontal=True, gap="small"):
        ecosystem = st.selectbox("Ecosystem", [_ALL_ECOSYSTEMS, *needs.choices(analysis, "ecosystems")])
        scope = st.selectbox("Scope", [_ALL_SCOPES, *needs.choices(analysis, "scopes")])
        name = st.text_input("Name begins with", max_chars=200)
    found(
        analysis.analysis_id,
        ecosystem if ecosystem != _ALL_ECOSYSTEMS else None,
        scope if scope != _ALL_SCOPES else None,
        name,
    )


def found(analysis_id: str, ecosystem: str | None, scope: str | None, name: str) -> None:
    """The mentions, a page at a time."""
    key = f"needs-pages-{analysis_id}-{ecosystem}-{scope}-{name}"
    mentions = paged.read(
        key,
        lambda cursor: client().contents_dependencies(
            analysis_id, ecosystem=ecosystem, scope=scope, name=name or None, cursor=cursor, limit=_PAGE
        ),
    )
    if mentions is None:
        return
    for manifest in needs.by_manifest(mentions.items):
        shown, rest = manifest.mentions[:_SHOWN], manifest.mentions[_SHOWN:]
        listed = markup.marked_table(_HEAD, (_cells(analysis_id, one) for one in shown), "rs-needs")
        if rest:
            more = markup.marked_table(_HEAD, (_cells(analysis_id, one) for one in rest), "rs-needs")
            listed += markup.folded(f"{len(rest):,} more of {manifest.path}", more)
        st.html(f'<h3 class="rs-manifest">{markup.text(manifest.title)}</h3>{listed}')
    if not mentions.items:
        st.caption("None of that kind.")
    paged.more(key, mentions)


def _cells(analysis_id: str, one: DependencyView) -> tuple[str, ...]:
    line = str(one.line) if one.line else ""
    address = needs.address(analysis_id, one)
    told = (one.name, one.constraint, one.version, needs.scope_words(one))
    return (*map(markup.text, told), markup.link(line, address) if address else markup.text(line))
