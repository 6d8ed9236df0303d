"""What the files themselves say: how long those are that an answer cites, and what the README begins with."""

from collections.abc import Mapping, Sequence

from ai_engine.ports import Place, Retriever
from ai_engine.stages.check_citations import cited_paths
from events.looking import LinesReply
from events.question import Passage
from runtime.redaction import redact_lines

_README = 80  # lines
_READMES = ("README.md", "README.rst", "README.txt", "README", "readme.md", "Readme.md", "README.markdown")


class Sources:
    """Reads stored files through the retriever."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    async def line_counts(
        self, place: Place, text: str, passages: Sequence[Passage], known: Mapping[str, int]
    ) -> dict[str, int]:
        """Path → lines, of the files that a text cites, that there are and of which there are `passages`.

        No other citation can stand. What the search told of them (`known`) is not asked for.
        """
        counts, given = {}, {passage.path for passage in passages}
        for path in cited_paths(text, passages):
            if path in known:
                counts[path] = known[path]
            elif path in given and (reply := await self._retriever.lines(place.lines(path, 1))) is not None:
                counts[path] = reply.line_count
        return counts

    async def readme(self, place: Place) -> LinesReply | None:
        """The beginning of the README, if there is one."""
        for name in _READMES:
            reply = await self._retriever.lines(place.lines(name, _README))
            if reply is not None:
                return reply.model_copy(update={"text": redact_lines(reply.text)})  # it is told, and given to models
        return None
