"""How a repository hangs together: a map of its folders, what is how large, what files import, who calls what."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from runtime.client.shapes import AnalysisView, ImportView, LinkView, SymbolView, Treemap
from web_ui import graph, markup, past, views
from web_ui.code_view import code
from web_ui.components import browser, paged, source_panel
from web_ui.session import attempt, client, keep, parameter
from web_ui.words import read_place, spelled

End = TypeVar("End")
_CONNECTED = 12
_FOUND = 50
_LINKS = 100
_HEAD = ("File", "Imported by", "Imports", "Called by", "Calls", "Complexity")
_LINES = 2_000  # of a file at a time
_IMPORTED, _IMPORTERS = ("Import", "Means", "Which is", "Line"), ("File", "Import", "Line")
_BY_LANGUAGE, _BY_CHANGES = "By language", "By changes"
_ENDS = ("Name", "Line", "How sure")


@st.fragment
def show(analysis: AnalysisView) -> None:
    """Files and definitions, on demand, once questions can be asked; the graph once it is there."""
    linked = graph.is_linked(analysis)
    if not linked and not views.can_ask(analysis):
        return
    st.html('<h2 class="rs-section">How it hangs together</h2>')
    key, address = f"graph-{analysis.analysis_id}", st.query_params
    is_open = any(name in address for name in source_panel.SIGHT)
    if not st.toggle("Show the map, sizes, connections and callers", value=is_open, key=key):
        for name in source_panel.SIGHT:
            keep(name, None)
        return
    keep("explore", "yes")
    if not linked:
        st.info(graph.why_not_linked(analysis))
    places(analysis, linked=linked)
    if linked:
        connected(analysis.analysis_id)
    symbols(analysis.analysis_id, linked=linked)


def places(analysis: AnalysisView, *, linked: bool) -> None:
    """One folder as a map and as rectangles; a file of it with what it imports and what imports it."""
    analysis_id = analysis.analysis_id
    key, file_key = f"graph-folder-{analysis_id}", f"graph-file-{analysis_id}"
    folder = st.session_state.setdefault(key, parameter("folder") or "")
    st.session_state.setdefault(file_key, parameter("file"))
    found = attempt(lambda: client().graph_treemap(analysis_id, folder=folder))
    edges = attempt(lambda: client().graph_modules(analysis_id, folder=folder)) if linked else None
    if found is None:
        return
    if edges is not None:
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
        format_func=lambda path: spelled(path) or "the whole repository",
    )
    keep("folder", folder)
    files = [item.path for item in found.items if item.is_file]
    chosen = st.session_state.get(file_key)
    listed = list(dict.fromkeys([*([chosen] if chosen else []), *files]))
    path = st.selectbox(
        "File",
        listed,
        index=None,
        placeholder="Choose a file here, press one above, or write its path",
        key=file_key,
        format_func=spelled,
        accept_new_options=True,
    )
    keep("file", path)
    if path is not None:  # right below the map, on which it may have been pressed
        file(analysis_id, path, linked=linked)
    sizes(analysis, found)


def sizes(analysis: AnalysisView, found: Treemap) -> None:
    """What is how large, coloured by language; where the history was read, also by changes."""
    by_changes, read = False, past.facts(analysis)[:1]
    if read:
        chosen = st.radio("Colour", [_BY_LANGUAGE, _BY_CHANGES], horizontal=True, key="graph-colour")
        by_changes = chosen == _BY_CHANGES
    boxes = graph.boxes(found.items, by_changes=by_changes)
    legend = graph.churn_legend(boxes) if by_changes else graph.legend(boxes)
    said = [f"by {read[0]}, merges aside"] if by_changes else []
    if left := found.total - len(boxes):
        said.append(f"{left:,} smaller ones are not drawn")
    told = markup.line(markup.span("muted", each) for each in said) if said else ""
    drawn = (box.drawn(analysis.analysis_id) for box in boxes)
    st.html(markup.treemap(drawn) + markup.legend(legend) + told)


def file(analysis_id: str, path: str, *, linked: bool) -> None:
    """One file: its lines, what it imports, what imports it."""
    key = f"graph-lines-{analysis_id}-{path}"
    last, at = _LINES * int(st.session_state.get(key, 1)), source_panel.kept()
    lines = attempt(lambda: client().contents_lines(analysis_id, path=path, first_line=1, last_line=last))
    if lines is None:
        return
    st.html(code(lines, range(0), lambda line: graph.address(analysis_id, path, line, at)))
    st.html(markup.line([markup.span("muted", f"lines 1 to {lines.last_line:,} of {lines.line_count:,}")]))
    if lines.last_line < lines.line_count and st.button("More of the file", key=f"more-{key}"):
        st.session_state[key] = int(st.session_state.get(key, 1)) + 1
        st.rerun()
    if not linked:
        return
    ends(
        f"imports-{analysis_id}-{path}",
        "Imports",
        _IMPORTED,
        lambda cursor: client().graph_imports(analysis_id, path=path, cursor=cursor, limit=_LINKS),
        lambda one: _import(analysis_id, one),
    )
    ends(
        f"importers-{analysis_id}-{path}",
        "Imported by",
        _IMPORTERS,
        lambda cursor: client().graph_imported_by(analysis_id, path=path, cursor=cursor, limit=_LINKS),
        lambda one: _importer(analysis_id, one),
    )


def ends(
    key: str,
    title: str,
    head: tuple[str, ...],
    fetch: Callable[[str | None], paged.PageOf[End]],
    row: Callable[[End], tuple[str, ...]],
) -> None:
    """One side of what leads to or from something: how many there are, and the first of them."""
    found = paged.read(key, fetch)
    if found is None:
        return
    table(f"{title} {found.total:,}", head, [row(one) for one in found.items])
    paged.more(key, found)


def table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A heading, and what it names where there is any."""
    listed = markup.marked_table(head, rows, "rs-needs") if rows else ""
    st.html(f'<h3 class="rs-manifest">{markup.text(title)}</h3>{listed}')


def _import(analysis_id: str, one: ImportView) -> tuple[str, ...]:
    said, resolution, target = graph.import_cells(one)
    line = markup.link(str(one.line), graph.address(analysis_id, one.path, one.line, source_panel.kept()))
    return markup.text(said), markup.text(target), markup.text(resolution), line


def _importer(analysis_id: str, one: ImportView) -> tuple[str, ...]:
    said, _, _ = graph.import_cells(one)
    line = markup.link(str(one.line), graph.address(analysis_id, one.path, one.line, source_panel.kept()))
    return markup.text(one.path), markup.text(said), line


def connected(analysis_id: str) -> None:
    """The most connected files."""
    found = attempt(lambda: client().graph_connections(analysis_id, limit=_CONNECTED))
    if found is not None and found.items:
        st.html('<h3 class="rs-manifest">Most connected files</h3>')
        st.html(markup.table(_HEAD, graph.connections(found.items), "rs-needs"))


def symbols(analysis_id: str, *, linked: bool) -> None:
    """Look for a definition; show where it is, who uses it and what it uses."""
    key = f"graph-name-{analysis_id}"
    st.session_state.setdefault(key, parameter("definition") or "")
    name = st.text_input("Definition begins with", max_chars=200, key=key)
    keep("definition", name)
    if not name:
        keep("symbol", None)
        return
    found = paged.read(
        f"graph-symbols-{analysis_id}-{name}",
        lambda cursor: client().contents_symbols(analysis_id, name=name, cursor=cursor, limit=_FOUND),
    )
    if found is None:
        return
    if not found.items:
        st.caption("No definition begins so.")
        return
    by_id = {one.id: one for one in found.items}
    wanted = list(by_id).index(parameter("symbol") or "") if parameter("symbol") in by_id else 0
    chosen = st.selectbox(
        f"{found.total:,} found", by_id, index=wanted, format_func=lambda one: graph.symbol_words(by_id[one])
    )
    paged.more(f"graph-symbols-{analysis_id}-{name}", found)
    keep("symbol", chosen)
    if chosen is not None:
        symbol(analysis_id, by_id[chosen], linked=linked)


def symbol(analysis_id: str, chosen: SymbolView, *, linked: bool) -> None:
    """One definition with both ends of its links."""
    facts = [markup.span("muted", fact) for fact in graph.symbol_facts(chosen)]
    lines = f"{chosen.path}:{chosen.first_line}-{chosen.last_line}"
    st.html(markup.line([markup.span("muted", lines), *facts]))
    opened = read_place(lines)
    toggle = f"graph-lines-{chosen.id}"
    if opened is not None and st.toggle("Show its lines", key=toggle):
        source_panel.show(analysis_id, opened, toggle=toggle)
    if not linked:
        return
    for title, fetch in (("Used by", client().graph_callers), ("Uses", client().graph_callees)):
        ends(
            f"{title}-{analysis_id}-{chosen.id}",
            title,
            _ENDS,
            lambda cursor, fetch=fetch: fetch(analysis_id, chosen.id, cursor=cursor, limit=_LINKS),  # type: ignore[misc]  # a default binds this round's
            lambda one: _link(analysis_id, one),
        )


def _link(analysis_id: str, one: LinkView) -> tuple[str, ...]:
    name, line, sure = graph.link_cells(one)
    return (
        markup.text(name),
        markup.link(line, graph.address(analysis_id, one.path, one.line, source_panel.kept())),
        markup.text(sure),
    )
