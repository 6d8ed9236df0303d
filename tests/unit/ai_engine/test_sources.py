"""How long cited files are: asked for only where the search did not tell, and where a citation could stand."""

from uuid import uuid4

from ai_engine.ports import Place
from ai_engine.sources import Sources
from events.looking import LinesReply, LinesRequest
from events.question import Passage, Scope
from tests.fakes.retriever import FakeRetriever

FILES = {"a.py": "one\ntwo", "b.py": "one", "c.py": "one"}


class _Counting(FakeRetriever):
    def __init__(self) -> None:
        super().__init__(FILES)
        self.asked: list[str] = []

    async def lines(self, request: LinesRequest) -> LinesReply | None:
        self.asked.append(request.path)
        return await super().lines(request)


def a_passage(path: str) -> Passage:
    return Passage(chunk_id=path, path=path, first_line=1, last_line=1, text="one")


async def test_only_what_the_search_did_not_tell_is_asked_for_and_only_of_files_that_were_given() -> None:
    retriever = _Counting()
    place = Place(uuid4(), retriever.analysis_id, Scope())
    text = "So [a.py:1-2], so [b.py:1], so [c.py:1], so [gone.py:1]."

    counts = await Sources(retriever).line_counts(
        place, text, [a_passage(path) for path in ("a.py", "b.py", "gone.py")], {"a.py": 2, "z.py": 9}
    )

    assert counts == {"a.py": 2, "b.py": 1}
    assert retriever.asked == ["b.py", "gone.py"]
