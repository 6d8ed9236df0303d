import json
from pathlib import Path

from events.artifacts import ArtifactKind, ArtifactRef, SourceRow, TreeRow
from events.base import LOCAL_TENANT
from orchestrator.adapters.sources import Lines, Sources
from runtime.objects import open_objects
from runtime.parquet import write_rows

NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": ["x = 1\n", "y = 2"]}], "metadata": {}}, indent=1)


async def test_lines_of_a_notebook_come_with_what_they_have_of_its_cells(tmp_path: Path) -> None:
    objects = open_objects("", tmp_path).of(LOCAL_TENANT, None)
    row = {"path": "a.ipynb", "blob_id": "b", "language": "jupyter", "file_class": "code", "size": 1, "lines": 1}
    tables = {
        ArtifactKind.TREE: write_rows(TreeRow, [TreeRow(**row, mode="100644", shard=0)]),
        ArtifactKind.SOURCES: write_rows(SourceRow, [SourceRow(**row, content=NOTEBOOK)]),
    }
    refs = []
    for kind, content in tables.items():
        stored = await objects.put(kind, ".parquet", content)
        refs.append(ArtifactRef(kind=kind, key=stored.key, sha256=stored.sha256, rows=1, bytes=stored.bytes))

    found = await Sources(objects).lines(tuple(refs), "a.ipynb", 7, 20)

    assert isinstance(found, Lines)
    [cell] = found.cells
    assert (cell.number, cell.kind, cell.first_line, cell.lines) == (1, "code", 7, ("y = 2",))
    assert found.text.startswith('    "y = 2"')
