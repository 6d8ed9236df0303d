"""The dependencies of a repository: by manifest and scope, each with the line it stands on."""

import streamlit as st

from runtime.client.shapes import AnalysisView, DependencyView
from web_ui import markup, needs
from web_ui.components import overview, source_panel
from web_ui.session import attempt, client
from web_ui.words import read_place

_PAGE = 200
_SHOWN = 15  # of one manifest before the rest is folded
_ALL_ECOSYSTEMS, _ALL_SCOPES = "all ecosystems", "all scopes"
_HEAD = ("Name", "Asked for", "Chosen", "Scope", "Line")


def show(analysis: AnalysisView) -> None:
    """How many there are; the list, and an opened line of a manifest, on demand."""
    told = needs.facts(analysis)
    if not told:
        return
    st.html('<h2 class="rs-section">Dependencies</h2>' + markup.line(markup.span("muted", fact) for fact in told))
    opened = read_place(st.query_params.get("open")) if st.query_params.get("at") != overview.HERE else None
    if opened is not None:
        source_panel.show(analysis.analysis_id, opened)
    if not st.toggle("List the dependencies", value=opened is not None, key=f"needs-{analysis.analysis_id}"):
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
    mentions: list[DependencyView] = []
    cursor: str | None = None
    for _ in range(st.session_state.get(key, 1)):
        page = attempt(
            lambda at=cursor: client().contents_dependencies(  # type: ignore[misc]  # a default binds this round's cursor
                analysis_id, ecosystem=ecosystem, scope=scope, name=name or None, cursor=at, limit=_PAGE
            )
        )
        if page is None:
            return
        mentions.extend(page.items)
        cursor = page.next
        if cursor is None:
            break
    for manifest in needs.by_manifest(mentions):
        shown, rest = manifest.mentions[:_SHOWN], manifest.mentions[_SHOWN:]
        listed = markup.marked_table(_HEAD, (_cells(analysis_id, one) for one in shown), "rs-needs")
        if rest:
            more = markup.marked_table(_HEAD, (_cells(analysis_id, one) for one in rest), "rs-needs")
            listed += markup.folded(f"{len(rest):,} more of {manifest.path}", more)
        st.html(f'<h3 class="rs-manifest">{markup.text(manifest.title)}</h3>{listed}')
    if not mentions:
        st.caption("None of that kind.")
    if cursor is not None and st.button("Show more", key=f"more-{key}"):
        st.session_state[key] = st.session_state.get(key, 1) + 1
        st.rerun()


def _cells(analysis_id: str, one: DependencyView) -> tuple[str, ...]:
    line = str(one.line) if one.line else ""
    address = needs.address(analysis_id, one)
    told = (one.name, one.constraint, one.version, needs.scope_words(one))
    return (*map(markup.text, told), markup.link(line, address) if address else markup.text(line))
