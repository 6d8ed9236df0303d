"""A retriever without an index: a few files, each found as one passage."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

from events.looking import LinesReply, LinesRequest
from events.question import Evidence, Passage, SearchReply, SearchRequest


async def _at_once() -> None:
    return


class FakeRetriever:
    """Finds the first `reach` lines of every file. `before` is awaited in each search, and may raise or wait."""

    def __init__(
        self,
        files: Mapping[str, str],
        *,
        reach: int = 5,
        degraded: str | None = None,
        evidence: Evidence | None = None,
        before: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self.files = dict(files)
        self.analysis_id = uuid4()
        self.generation_id = uuid4()
        self.searches: list[SearchRequest] = []
        self._reach = reach
        self._degraded = degraded
        self._evidence = evidence
        self._before = before

    async def search(self, request: SearchRequest) -> SearchReply:
        self.searches.append(request)
        await self._before()
        return SearchReply(
            analysis_id=self.analysis_id,
            commit="c0ffee",
            generation_id=self.generation_id,
            generation_kind="lexical" if self._degraded else "quick",
            model=None if self._degraded else "words",
            passages=tuple(self._passage(path, text) for path, text in self.files.items()),
            took_ms=1.0,
            degraded=self._degraded,
            evidence=self._evidence,
        )

    async def lines(self, request: LinesRequest) -> LinesReply | None:
        path, first, last = request.path, request.first_line, request.last_line
        if request.analysis_id != self.analysis_id or path not in self.files:
            return None
        every = self.files[path].split("\n")
        end = min(last or len(every), len(every))
        text = "\n".join(every[first - 1 : end])
        return LinesReply(
            path=path, language="python", first_line=first, last_line=end, line_count=len(every), text=text
        )

    def _passage(self, path: str, text: str) -> Passage:
        lines = text.split("\n")[: self._reach]
        return Passage(
            chunk_id=f"{path}:1",
            path=path,
            first_line=1,
            last_line=len(lines),
            text="\n".join(lines),
            score=0.5,
            ranks={"lexical": 1},
        )
