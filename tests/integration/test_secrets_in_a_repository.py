"""What looks like a secret in the files of a repository stays in the stored files alone: nothing else has any of it."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from events import processing as facts
from events.artifacts import ArtifactKind
from events.base import LOCAL_TENANT
from events.looking import LinesRequest
from orchestrator.workflow import Phase
from processor.adapters.parser_pool import ParserPool
from rag_manager.rows import reading
from rag_manager.serving import ServingCache
from rag_manager.stages.code_tokens import code_tokens
from runtime.tenancy import TenantDatabase
from tests.support.canaries import Canary, found_in, hiding_places
from tests.support.git_repositories import build_repository
from tests.support.git_server import GitServer
from tests.support.index import an_index
from tests.support.jobs import Bench
from tests.support.pipeline import Pipeline, a_pipeline

IN_CODE, IN_DOC, IN_TITLE, IN_URL, IN_CELL = (
    Canary(f"gh{kind}_{word}{number}" + "Zq7Rw2Xy9Kd4Lm6Np1St3Vb5")
    for number, (kind, word) in enumerate(
        (("p", "Kestrel"), ("o", "Osprey"), ("u", "Linnet"), ("s", "Siskin"), ("r", "Dunlin"))
    )
)
KEY = [
    Canary(f"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj{number:02}AgEAAoIBAQDWhimbrel{number:02}") for number in range(60)
]
MARKED = (IN_CODE, IN_DOC, IN_TITLE, IN_URL, IN_CELL, *KEY)
_PEM = "\n".join(
    ["-----BEGIN RSA " + "PRIVATE KEY-----", *(line.secret for line in KEY), "-----END RSA " + "PRIVATE KEY-----"]
)
_CODE = f'''"""Signs in with {IN_DOC.secret}."""

TOKEN = "{IN_CODE.secret}"


def sign_in(token="{IN_CODE.secret}"):
    """Uses {IN_DOC.secret} where nothing is given."""
    return connect(token)
'''
_CELL = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
_SOURCE = [f'token = "{IN_CELL.secret}"\n', "print(token)\n"]
_BOOK = {"metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
FILES = {
    "app.py": _CODE,
    "README.md": f"# Kennel\n\nUse it with {IN_DOC.secret}.\n\n## With {IN_TITLE.secret}\n\nAnd then call `sign_in`.\n",
    "requirements.txt": f"flask==3.0\nkennel @ git+https://{IN_URL.secret}@example.org/kennel.git\n",
    "deploy/key.txt": f"before the key\n{_PEM}\nafter the key\n",
    "book.ipynb": json.dumps({"cells": [{**_CELL, "source": _SOURCE}], **_BOOK}, indent=1),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    folder = tmp_path_factory.mktemp("served")
    build_repository(folder / "kennel.git", [FILES])
    with GitServer(folder) as server:
        yield server


@pytest.fixture
async def pipeline(database_url: str, redis_url: str, chroma_url: str, tmp_path: Path) -> AsyncIterator[Pipeline]:
    async with an_index(database_url, redis_url, tmp_path, chroma_url) as index, ParserPool(1) as pool:
        for name in await index.backends.vectors.names():  # of other tests, by the same names
            await index.backends.vectors.drop(name)
        yield a_pipeline(index, Bench(tmp_path), pool)


async def test_secrets_of_a_repository_are_neither_indexed_nor_embedded_nor_told(
    pipeline: Pipeline, host: GitServer, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    index = pipeline.index
    state = await pipeline.analyse(1, host.url("kennel"))
    assert state.phase == Phase.REFINED

    sources = await keys_of_sources(pipeline)
    hidden = await hiding_places(MARKED, database_url, redis_url, tmp_path)
    assert [line for line in hidden if not line.endswith(tuple(sources))] == []
    assert len(hidden) >= len(MARKED)  # the stored files do have them: the walk sees what is packed
    embedded = "\n".join([*index.quick.embedded, *index.full.embedded]).encode()
    assert b"sign_in" in embedded
    assert list(found_in(MARKED, "embedded", embedded)) == []
    await nothing_is_found_by_a_secret(pipeline)
    await places_stay(pipeline)


async def keys_of_sources(pipeline: Pipeline) -> set[str]:
    done = [event.data for event in await pipeline.history(1) if event.event_type == facts.StageCompleted.event_type]
    refs = [ref for data in done for ref in facts.StageCompleted.model_validate(data).artifacts]
    return {ref.key for ref in refs if ref.kind == ArtifactKind.SOURCES}


async def nothing_is_found_by_a_secret(pipeline: Pipeline) -> None:
    """The words of no secret are in the lexical index, whose files are compressed."""
    rows = TenantDatabase(pipeline.index.backends.engine)
    served = await reading.served_by_repository(rows, LOCAL_TENANT, pipeline.repository(1))
    assert served is not None
    cache = ServingCache(rows, pipeline.index.backends.objects, pipeline.index.lexicon)
    loaded = await cache.get(LOCAL_TENANT, served)
    words = sorted({token for canary in MARKED for token in code_tokens(canary.secret) if len(token) > 8})
    assert len(words) >= len(MARKED)
    assert set(loaded.lexicon.frequencies(words)) == {0}
    assert min(loaded.lexicon.frequencies(code_tokens("sign_in kennel redacted"))) > 0


async def places_stay(pipeline: Pipeline) -> None:
    """A passage stands where it stands in its file, line by line; the file itself is as it is."""
    reply = await pipeline.ask(1, "deploy/key.txt")
    shown = {
        passage.first_line + number: line
        for passage in reply.passages
        if passage.path == "deploy/key.txt"
        for number, line in enumerate(passage.text.split("\n"))
    }
    assert shown[1] == "before the key"
    assert {shown[number] for number in shown if 1 < number < len(KEY) + 4} == {"[redacted]"}
    assert shown[len(KEY) + 4] == "after the key"
    analysis = reply.analysis_id
    file = await pipeline.index.lines()(
        LinesRequest(tenant_id=LOCAL_TENANT, analysis_id=analysis, path="deploy/key.txt")
    )
    assert file.text == FILES["deploy/key.txt"].rstrip("\n")
