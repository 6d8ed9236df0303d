"""Facts without an orchestrator: what is given, whatever is asked."""

from collections.abc import Awaitable, Callable

from events.base import Value
from events.looking import CallersRequest, DefinitionsRequest, Entries, Entry, FolderRequest

ROUTE = Entry(id="0-1", kind="function", name="route", path="src/app.py", first_line=4, last_line=5)
CALLER = Entry(id="0-7", kind="call", name="serve", path="src/serve.py", first_line=2, last_line=2, note="exact")
FOLDER = Entry(kind="folder", name="src", path="src", note="2 files, 9 lines, python")


async def _at_once() -> None:
    return


class FakeFacts:
    """Knows one entry of each kind, and what it was asked. `before` is awaited first, and may raise or wait."""

    def __init__(self, *, before: Callable[[], Awaitable[None]] = _at_once) -> None:
        self.asked: list[Value] = []
        self._before = before

    async def definitions(self, request: DefinitionsRequest) -> Entries:
        return await self._told(request, ROUTE)

    async def callers(self, request: CallersRequest) -> Entries:
        return await self._told(request, CALLER)

    async def folder(self, request: FolderRequest) -> Entries:
        return await self._told(request, FOLDER)

    async def _told(self, request: Value, entry: Entry) -> Entries:
        self.asked.append(request)
        await self._before()
        return Entries(total=1, entries=(entry,))
