"""Models of older generations are opened when they are needed, once, however many ask."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from rag_manager.former import FormerEmbedders
from tests.fakes.embedder import WordEmbedder


def test_it_is_opened_once_for_all_who_ask_at_the_same_time() -> None:
    opened: list[WordEmbedder] = []
    together = Barrier(8)

    def opening() -> WordEmbedder:
        opened.append(WordEmbedder("old"))
        return opened[-1]

    former = FormerEmbedders({"old": opening})

    def ask(_n: int) -> object:
        together.wait()
        return former.get("old")

    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(ask, range(8)))

    assert former.has("old")
    assert not former.has("another")
    assert len(opened) == 1
    assert set(map(id, got)) == {id(opened[0])}


def test_a_stranger_is_none() -> None:
    assert FormerEmbedders({}).get("old") is None
