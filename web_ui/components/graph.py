"""How a repository hangs together: a map of its folders, what is how large, what files import, who calls what."""

import streamlit as st

from runtime.client.shapes import AnalysisView, ImportView, LinkView, SymbolView, TreemapItem
from web_ui import graph, markup, past
from web_ui.code_view import code
from web_ui.components import browser, source_panel
from web_ui.session import attempt, client
from web_ui.words import read_place

_CONNECTED = 12
_FOUND = 50
_LINKS = 100
_HEAD = ("File", "Imported by", "Imports", "Called by", "Calls", "Complexity")
_LINES = 2_000  # of a file
_IMPORTED, _IMPORTERS = ("Import", "Means", "Which is", "Line"), ("File", "Import", "Line")
_BY_LANGUAGE, _BY_CHANGES = "By language", "By changes"
_ENDS = ("Name", "Line", "How sure")


def show(analysis: AnalysisView) -> None:
    """The graph, on demand, once it is there."""
    done = any(stage.stage == "link" and stage.state == "completed" for stage in analysis.stages)
    if not done:
        return
    st.html('<h2 class="rs-section">How it hangs together</h2>')
    key = f"graph-{analysis.analysis_id}"
    if not st.toggle("Show the map, sizes, connections and callers", value="symbol" in st.query_params, key=key):
        return
    places(analysis)
    connected(analysis.analysis_id)
    symbols(analysis.analysis_id)


def places(analysis: AnalysisView) -> None:
    """One folder as a map and as rectangles; a file of it with what it imports and what imports it."""
    analysis_id = analysis.analysis_id
    key, file_key = f"graph-folder-{analysis_id}", f"graph-file-{analysis_id}"
    folder = st.session_state.get(key, "")
    found = attempt(lambda: client().graph_treemap(analysis_id, folder=folder))
    edges = attempt(lambda: client().graph_modules(analysis_id, folder=folder))
    if found is None or edges is None:
        return
    st.html('<h3 class="rs-manifest">Map of modules</h3>')
    opened = browser.module_map(graph.map_data(found.items, edges.items), key=f"map-{analysis_id}-{folder}")
    if opened is not None:
        is_file = any(item.is_file and item.path == opened for item in found.items)
        st.session_state[file_key if is_file else key] = opened
        st.rerun()
    inside = [item.path for item in found.items if not item.is_file]
    above = list(reversed(graph.above(folder)[:-1]))
    st.selectbox(
        "Folder",
        list(dict.fromkeys([folder, *above, *inside])),
        key=key,
        format_func=lambda path: path or "the whole repository",
    )
    sizes(found.items, past.facts(analysis)[:1])
    files = [item.path for item in found.items if item.is_file]
    chosen = st.session_state.get(file_key)
    listed = list(dict.fromkeys([*([chosen] if chosen else []), *files]))
    path = st.selectbox("File", listed, index=None, placeholder="Choose a file here, or press one above", key=file_key)
    if path is not None:
        file(analysis_id, path)


def sizes(items: list[TreemapItem], read: list[str]) -> None:
    """What is how large, coloured by language; where the history was `read` (of so much), also by changes."""
    by_changes = False
    if read:
        chosen = st.radio("Colour", [_BY_LANGUAGE, _BY_CHANGES], horizontal=True, key="graph-colour")
        by_changes = chosen == _BY_CHANGES
    boxes = graph.boxes(items, by_changes=by_changes)
    legend = graph.churn_legend(boxes) if by_changes else graph.legend(boxes)
    told = markup.line([markup.span("muted", f"by {read[0]}, merges aside")]) if by_changes else ""
    st.html(markup.treemap(box.drawn for box in boxes) + markup.legend(legend) + told)


def file(analysis_id: str, path: str) -> None:
    """One file: its lines, what it imports, what imports it."""
    lines = attempt(lambda: client().contents_lines(analysis_id, path=path, first_line=1, last_line=_LINES))
    if lines is not None:
        st.html(code(lines, range(0)))
        st.html(markup.line([markup.span("muted", f"lines 1 to {lines.last_line:,} of {lines.line_count:,}")]))
    out = attempt(lambda: client().graph_imports(analysis_id, path=path, limit=_LINKS))
    into = attempt(lambda: client().graph_imported_by(analysis_id, path=path, limit=_LINKS))
    if out is not None:
        rows = [_import(analysis_id, one) for one in out.items]
        table(f"Imports {out.total:,}", _IMPORTED, rows)
    if into is not None:
        rows = [_importer(analysis_id, one) for one in into.items]
        table(f"Imported by {into.total:,}", _IMPORTERS, rows)


def table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A heading, and what it names where there is any."""
    listed = markup.marked_table(head, rows, "rs-needs") if rows else ""
    st.html(f'<h3 class="rs-manifest">{markup.text(title)}</h3>{listed}')


def _import(analysis_id: str, one: ImportView) -> tuple[str, ...]:
    said, resolution, target = graph.import_cells(one)
    line = markup.link(str(one.line), graph.address(analysis_id, one.path, one.line))
    return markup.text(said), markup.text(target), markup.text(resolution), line


def _importer(analysis_id: str, one: ImportView) -> tuple[str, ...]:
    said, _, _ = graph.import_cells(one)
    line = markup.link(str(one.line), graph.address(analysis_id, one.path, one.line))
    return markup.text(one.path), markup.text(said), line


def connected(analysis_id: str) -> None:
    """The most connected files."""
    found = attempt(lambda: client().graph_connections(analysis_id, limit=_CONNECTED))
    if found is not None and found.items:
        st.html('<h3 class="rs-manifest">Most connected files</h3>')
        st.html(markup.table(_HEAD, graph.connections(found.items), "rs-needs"))


def symbols(analysis_id: str) -> None:
    """Look for a definition; show where it is, who uses it and what it uses."""
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
        links(analysis_id, f"Used by {callers.total:,}", callers.items)
    if callees is not None:
        links(analysis_id, f"Uses {callees.total:,}", callees.items)


def links(analysis_id: str, title: str, found: list[LinkView]) -> None:
    """One side of a definition's links."""
    rows: list[tuple[str, ...]] = []
    for one in found:
        name, line, sure = graph.link_cells(one)
        rows.append(
            (markup.text(name), markup.link(line, graph.address(analysis_id, one.path, one.line)), markup.text(sure))
        )
    table(title, _ENDS, rows)
