"""Vectors in a Chroma server: one collection per generation, ids and vectors only, cosine.

The synchronous client runs in threads: building and reading its JSON takes long enough to hold up an event loop.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from rag_manager.ports import CollectionMissing, CollectionUnreadable, VectorsUnavailable

_PAGE = 500
BATCH = 1_000  # vectors of one upsert; the server's own bound is 5,461
# Candidates that a search keeps in hand, for a hundred answers: with fewer, what is found depends on the order in which
# the vectors were written, and a collection that grew answers otherwise than one that was filled at once.
_BREADTH = 500
_OF_ITSELF = frozenset({401, 403, 429, 503, 504})  # what a server answers of itself, and of no collection

Reply = TypeVar("Reply")


class ChromaVectors:
    """See `ports.Vectors`. `timeout` (seconds) holds for each question; writing has six times as long.

    Two connections, because the client knows only one time limit for everything. A write cannot be called back: whoever
    is cancelled leaves it under way, and whoever removes what was written, or lists it, waits for its end.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self._reading = _Connection(urlsplit(url), connect=timeout, answer=timeout)
        self._writing = _Connection(urlsplit(url), connect=timeout, answer=timeout * 6)
        self._under_way: dict[str, set[asyncio.Task[None]]] = {}

    async def create(self, collection: str) -> None:
        """See `ports.Vectors`."""
        await self._write(collection, _call(partial(self._writing.make, collection)))

    async def upsert(self, collection: str, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """See `ports.Vectors`."""
        for start in range(0, len(ids), BATCH):
            batch = list(ids[start : start + BATCH])
            part = vectors[start : start + BATCH]
            write = self._writing.on(collection, partial(_upsert, ids=batch, vectors=part))
            await self._write(collection, write)

    async def count(self, collection: str) -> int:
        """See `ports.Vectors`."""
        return int(await self._reading.on(collection, lambda found: found.count()))

    async def query(
        self, collection: str, vector: NDArray[np.float32], limit: int, *, among: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """See `ports.Vectors`."""
        ids = None if among is None else list(among)
        reply = await self._reading.on(
            collection,
            lambda found: found.query(query_embeddings=[vector], n_results=limit, include=["distances"], ids=ids),
        )
        return list(zip(reply["ids"][0], reply["distances"][0], strict=True))

    async def ids(self, collection: str) -> list[str]:
        """See `ports.Vectors`."""
        await self._written(collection)
        found: list[str] = []
        while True:
            page = await self._reading.on(collection, partial(_ids, offset=len(found)))
            found.extend(page)
            if len(page) < BATCH:
                return found

    async def get(self, collection: str, ids: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
        """See `ports.Vectors`."""
        found: list[str] = []
        vectors: list[NDArray[np.float32]] = []
        for start in range(0, len(ids), BATCH):
            part = list(ids[start : start + BATCH])
            reply = await self._reading.on(collection, partial(_vectors, ids=part))
            found.extend(reply["ids"])
            vectors.extend(np.asarray(vector, np.float32) for vector in reply["embeddings"])
        return found, np.array(vectors, np.float32)

    async def remove(self, collection: str, ids: Sequence[str]) -> None:
        """See `ports.Vectors`."""
        for start in range(0, len(ids), BATCH):
            await self._writing.on(collection, partial(_remove, ids=list(ids[start : start + BATCH])))

    async def drop(self, collection: str) -> None:
        """See `ports.Vectors`."""
        await self._written(collection)
        try:
            await _call(partial(self._writing.drop, collection))
        except CollectionMissing:
            return

    async def names(self) -> list[str]:
        """See `ports.Vectors`."""
        found: list[str] = []
        while True:
            page = await _call(partial(self._reading.page, len(found)))
            found.extend(page)
            if len(page) < _PAGE:
                return found

    async def close(self) -> None:
        """See `ports.Vectors`."""
        self._reading.close()
        self._writing.close()

    async def _write(self, collection: str, write: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(write)
        under_way = self._under_way.setdefault(collection, set())
        under_way.add(task)
        task.add_done_callback(partial(self._is_over, collection))
        await asyncio.shield(task)

    def _is_over(self, collection: str, task: asyncio.Task[None]) -> None:
        self._under_way[collection].discard(task)
        if not self._under_way[collection]:
            del self._under_way[collection]

    async def _written(self, collection: str) -> None:
        """Return once no write is under way that was begun before."""
        if under_way := self._under_way.get(collection):
            await asyncio.wait(set(under_way))


class _Connection:
    """A client made when it is first needed, and the collections it has looked up."""

    def __init__(self, url: SplitResult, *, connect: float, answer: float) -> None:
        self._url = url
        self._timeout = httpx.Timeout(answer, connect=connect)
        self._lock = threading.Lock()
        self._connected: Any = None
        self._collections: dict[str, Any] = {}

    async def on(self, collection: str, do: Callable[[Any], Reply]) -> Reply:
        """Do something with a collection; one that is not where it was is looked up once more."""
        known = collection in self._collections
        try:
            return await _call(lambda: do(self._found(collection)))
        except CollectionMissing:
            self._collections.pop(collection, None)
            if not known:
                raise
        return await _call(lambda: do(self._found(collection)))

    def make(self, collection: str) -> None:
        self._collections[collection] = self._client().get_or_create_collection(
            collection, configuration={"hnsw": {"space": "cosine", "ef_search": _BREADTH}}, embedding_function=None
        )

    def drop(self, collection: str) -> None:
        self._collections.pop(collection, None)
        self._client().delete_collection(collection)

    def page(self, offset: int) -> list[str]:
        return [collection.name for collection in self._client().list_collections(limit=_PAGE, offset=offset)]

    def close(self) -> None:
        with self._lock:
            client, self._connected = self._connected, None
            self._collections.clear()
        if client is not None:
            client.close()
            # Which closes neither its own connections nor those of the administrative client it made for itself.
            for server in (client._server, client._admin_client._server):
                server._session.close()

    def _client(self) -> Any:  # noqa: ANN401  # chromadb's own types would import it at start-up
        with self._lock:
            if self._connected is None:
                self._connected = _connect(self._url, self._timeout)
            return self._connected

    def _found(self, collection: str) -> Any:  # noqa: ANN401  # as _client
        if collection not in self._collections:
            self._collections[collection] = self._client().get_collection(collection, embedding_function=None)
        return self._collections[collection]


async def _call(do: Callable[[], Reply]) -> Reply:
    return await asyncio.to_thread(_translated, do)


def _upsert(found: Any, *, ids: list[str], vectors: NDArray[np.float32]) -> None:  # noqa: ANN401  # as _client
    found.upsert(ids=ids, embeddings=vectors)


def _ids(found: Any, *, offset: int) -> list[str]:  # noqa: ANN401  # as _client
    return list(found.get(include=[], limit=BATCH, offset=offset)["ids"])


def _vectors(found: Any, *, ids: list[str]) -> Any:  # noqa: ANN401  # as _client
    return found.get(ids=ids, include=["embeddings"])


def _remove(found: Any, *, ids: list[str]) -> None:  # noqa: ANN401  # as _client
    found.delete(ids=ids)


def _connect(url: SplitResult, timeout: httpx.Timeout) -> Any:  # noqa: ANN401  # as _client
    import chromadb
    from chromadb.config import Settings

    # Making a client asks the server without a time limit: ask first whether there is one.
    httpx.get(url._replace(path="/api/v2/heartbeat").geturl(), timeout=timeout).raise_for_status()
    client: Any = chromadb.HttpClient(
        host=url.hostname or "127.0.0.1",
        port=url.port or (443 if url.scheme == "https" else 8000),
        ssl=url.scheme == "https",
        settings=Settings(anonymized_telemetry=False),
    )
    # There is no setting for this, and the client waits for ever without it.
    client._server._session.timeout = timeout
    return client


def _translated(do: Callable[[], Reply]) -> Reply:
    from chromadb.errors import ChromaError, NotFoundError

    try:
        return do()
    except NotFoundError as error:
        raise CollectionMissing(str(error)) from error
    except ChromaError as error:
        fault = VectorsUnavailable if error.code() in _OF_ITSELF else CollectionUnreadable
        raise fault(f"{type(error).__name__}: {error}") from error
    except (httpx.HTTPError, json.JSONDecodeError) as error:
        raise VectorsUnavailable(f"{type(error).__name__}: {error}") from error
    except ValueError as error:
        if "Could not connect" in str(error):  # how chromadb says it when the client is made
            raise VectorsUnavailable(str(error)) from error
        raise
