"""A small project of which an analysis loses something, and what is compared of two analyses of it."""

from events import processing as facts
from events.processing import Stage
from tests.support.pipeline import Pipeline

# Each in its own file: no two passages are equally near to a question.
WORDS = (
    *("amber", "birch", "cedar", "dune", "ember", "fjord", "grove"),
    *("heath", "ivory", "jade", "kelp", "lemon", "maple", "north"),
)
FILES = {
    "README.md": "# Kennel\n\nDogs bark here.\n",
    "pyproject.toml": '[project]\nname = "kennel"\ndependencies = ["requests"]\n',
    **{
        f"kennel/part{n:02}.py": f"import requests\n\n\ndef bark_{word}(times):\n    return requests.get(times)\n\n\n"
        f"def run_{word}(far):\n    return bark_{word}(far)\n"
        for n, word in enumerate(WORDS)
    },
    # Two that break the parser of the first try; with them, files that they share a shard with.
    "kennel/odd03.py": "!raise \n\n\ndef whine(sadly):\n    return sadly\n",
    "kennel/odd11.py": "!segfault \n\n\ndef howl(loudly):\n    return whine(loudly)\n",
}
QUESTIONS = ("where do dogs whine sadly", "howl loudly", "bark_jade", "run far over the heath", "what is a kennel")
TABLES = {
    "app.files": "path, language, file_class, size, lines, shard, skipped",
    "app.outcomes": "path, outcome, reason, symbols, chunks, errors, error_lines",
    "app.symbols": "shard, ordinal, path, kind, name, qualified_name, parent, signature, first_line, last_line",
    "app.edges": "shard, ordinal, path, kind, source, target, line",
    "app.dependencies": 'shard, ordinal, ecosystem, name, "constraint", scope, path, line',
    "app.imports": "shard, ordinal, path, line, module, name, resolution, target, confidence",
    "app.links": "shard, ordinal, path, line, source, source_shard, source_ordinal, target, target_shard,"
    " target_ordinal, level",
    "app.connections": "path, imports, imported_by, calls, called_by, functions, complexity",
    "app.loaded": "kind, shard, rows, code",
    "rag.analyses": "chunks, files",
    "rag.files": "path, language, lines, source_key, source_row",
    "rag.chunks": "ordinal, chunk_id, path, first_line, last_line, symbols, text",
    "rag.symbols": "ordinal, name, qualified_name, kind, path, first_line, last_line",
}
BROKEN, CLEAN = 1, 2  # the numbers of its analyses: with losses, and without


async def tables(pipeline: Pipeline, number: int) -> dict[str, list[tuple[object, ...]]]:
    analysis = pipeline.stream(number).partition("/")[2]
    found = {}
    for table, columns in TABLES.items():
        query = f"SELECT {columns} FROM {table} WHERE analysis_id = CAST(:id AS uuid)"  # our own names
        found[table] = sorted(await pipeline.index.kernel.rows(query, id=analysis), key=repr)
    return found


async def answers(pipeline: Pipeline, number: int) -> list[object]:
    replies = [await pipeline.ask(number, question) for question in QUESTIONS]
    assert [reply.degraded for reply in replies] == [None] * len(QUESTIONS)
    return [[(p.path, p.first_line, p.text, p.score) for p in reply.passages] for reply in replies]


def is_lost(request: facts.StageRequested) -> bool:
    """A shard and the metadata, at their first attempt."""
    return request.attempt == 1 and (
        request.stage is Stage.METADATA or (request.stage, request.shard) == (Stage.PARSE, 2)
    )
