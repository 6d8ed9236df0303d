"""How a repository hangs together: what is how large, the most connected files, who calls what."""

import streamlit as st

from runtime.client.shapes import AnalysisView, LinkView, SymbolView
from web_ui import graph, markup
from web_ui.components import source_panel
from web_ui.session import attempt, client
from web_ui.words import read_place

_CONNECTED = 12
_FOUND = 50
_LINKS = 100
_HEAD = ("File", "Imported by", "Imports", "Called by", "Calls", "Complexity")
_ENDS = ("Name", "Line", "How sure")


def show(analysis: AnalysisView) -> None:
    """The graph, on demand, once it is there."""
    done = any(stage.stage == "link" and stage.state == "completed" for stage in analysis.stages)
    if not done:
        return
    st.html('<h2 class="rs-section">How it hangs together</h2>')
    key = f"graph-{analysis.analysis_id}"
    if not st.toggle("Show sizes, connections and callers", value="symbol" in st.query_params, key=key):
        return
    treemap(analysis.analysis_id)
    connected(analysis.analysis_id)
    symbols(analysis.analysis_id)


def treemap(analysis_id: str) -> None:
    """What is right below a folder, as rectangles; a folder is opened by choosing it."""
    key = f"graph-folder-{analysis_id}"
    folder = st.session_state.get(key, "")
    found = attempt(lambda: client().graph_treemap(analysis_id, folder=folder))
    if found is None:
        return
    boxes = graph.boxes(found.items)
    st.html(markup.treemap(box.drawn for box in boxes))
    inside = [box.item.path for box in boxes if not box.item.is_file]
    places = list(dict.fromkeys([folder, *reversed(graph.above(folder)[:-1]), *inside]))
    st.selectbox("Folder", places, key=key, format_func=lambda path: path or "the whole repository")


def connected(analysis_id: str) -> None:
    """The most connected files."""
    found = attempt(lambda: client().graph_connections(analysis_id, limit=_CONNECTED))
    if found is not None and found.items:
        st.html('<h3 class="rs-manifest">Most connected files</h3>')
        st.html(markup.table(_HEAD, graph.connections(found.items), "rs-needs"))


def symbols(analysis_id: str) -> None:
    """Look for a definition; show where it is, who calls it and what it calls."""
    name = st.text_input("Definition begins with", max_chars=200, key=f"graph-name-{analysis_id}")
    if not name:
        return
    found = attempt(lambda: client().contents_symbols(analysis_id, name=name, limit=_FOUND))
    if found is None:
        return
    if not found.items:
        st.caption("No definition begins so.")
        return
    chosen = st.selectbox(f"{found.total:,} found", found.items, format_func=graph.symbol_words)
    if chosen is not None:
        symbol(analysis_id, chosen)


def symbol(analysis_id: str, chosen: SymbolView) -> None:
    """One definition with both ends of its links."""
    facts = [markup.span("muted", fact) for fact in graph.symbol_facts(chosen)]
    lines = f"{chosen.path}:{chosen.first_line}-{chosen.last_line}"
    st.html(markup.line([markup.span("muted", lines), *facts]))
    opened = read_place(lines)
    if opened is not None and st.toggle("Show its lines", key=f"graph-lines-{chosen.id}"):
        source_panel.show(analysis_id, opened)
    callers = attempt(lambda: client().graph_callers(analysis_id, chosen.id, limit=_LINKS))
    callees = attempt(lambda: client().graph_callees(analysis_id, chosen.id, limit=_LINKS))
    if callers is not None:
        links(analysis_id, f"Called by {callers.total:,}", callers.items)
    if callees is not None:
        links(analysis_id, f"Calls {callees.total:,}", callees.items)


def links(analysis_id: str, title: str, found: list[LinkView]) -> None:
    """One side of a definition's links."""
    rows = []
    for one in found:
        name, line, sure = graph.link_cells(one)
        rows.append(
            (markup.text(name), markup.link(line, graph.address(analysis_id, one.path, one.line)), markup.text(sure))
        )
    st.html(f'<h3 class="rs-manifest">{markup.text(title)}</h3>' + markup.marked_table(_ENDS, rows, "rs-needs"))
