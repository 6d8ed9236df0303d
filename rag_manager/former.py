"""The embedders of generations that were made before the setting changed: each is opened once, when it is needed."""

import threading
from collections.abc import Callable, Mapping

from rag_manager.ports import Embedder


class FormerEmbedders:
    """By name of the model. Safe to use from several threads."""

    def __init__(self, openers: Mapping[str, Callable[[], Embedder]]) -> None:
        self._openers = openers
        self._opened: dict[str, Embedder] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Embedder | None:
        """The embedder of this name, which may have to be loaded first; None where nothing opens it."""
        with self._lock:
            if name not in self._opened and name in self._openers:
                self._opened[name] = self._openers[name]()
            return self._opened.get(name)

    def has(self, name: str) -> bool:
        """Whether `get` would find one, without opening it."""
        return name in self._openers

    def close(self) -> None:
        """Close those that were opened."""
        with self._lock:
            for embedder in self._opened.values():
                embedder.close()
            self._opened.clear()
