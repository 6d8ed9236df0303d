"""By whose right streams are open: whoever loses theirs loses the streams too, within some seconds.

One entry for each credential, however many streams it opened, and one statement for all of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from orchestrator.auth.identity import Identity, Proof
from orchestrator.progress.stream import Stream

EVERY = 2.0  # seconds between two looks
Lapsed = Callable[[Sequence[Identity]], Awaitable[set[int]]]


class Held:
    """The streams that one credential opened."""

    __slots__ = ("_gone", "streams", "who")

    def __init__(self, who: Identity, gone: Callable[[], object]) -> None:
        self.who = who
        self.streams: set[Stream] = set()
        self._gone = gone

    def let_go(self, stream: Stream) -> None:
        """Hear that a stream is over."""
        self.streams.discard(stream)
        if not self.streams:
            self._gone()


class Holders:
    """The open streams of this process, by who opened them."""

    def __init__(self, lapsed: Lapsed, every: float = EVERY) -> None:
        """`lapsed` says of which places of a list of identities the right has ended."""
        self._lapsed = lapsed
        self._every = every
        self._open: dict[tuple[object, ...], Held] = {}

    def hold(self, who: Identity, stream: Stream) -> None:
        """From now on `stream` is open by the right of `who`, until it ends. The local user's right does not end."""
        if who.proof is Proof.LOCAL:
            return
        key = (who.proof, who.proof_id, who.user_id, who.tenant_id)
        held = self._open.get(key)
        if held is None:
            held = self._open[key] = Held(who, lambda: self._open.pop(key, None))
        held.streams.add(stream)
        stream.holder = held

    async def watch(self) -> None:
        """Send away, for ever, the streams of those whose right has ended."""
        while True:
            await asyncio.sleep(self._every)
            await self.look()

    async def look(self) -> None:
        """Send away the streams of those whose right has ended by now."""
        held = list(self._open.values())
        if not held:
            return
        for place in await self._lapsed([each.who for each in held]):
            for stream in list(held[place].streams):
                stream.send_away()

    @property
    def credentials(self) -> int:
        """How many different ones have a stream open."""
        return len(self._open)
