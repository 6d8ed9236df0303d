"""Fan-out inside the process, by stream. A viewer who is slow loses ticks first and is then asked to come back."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from events.base import Envelope
from events.processing import StageCompleted, StageFailed, StageParked
from orchestrator.progress import frames
from orchestrator.progress.viewer import Message, Viewer

BEATS = 20  # rounds in which every viewer gets one heartbeat: at four flushes a second, every five seconds
ANALYSIS, REPOSITORY = "analysis/", "repository/"
_KEPT = 1_000  # newest milestones of an analysis that is watched
_ENDS = {each.event_type for each in (StageCompleted, StageFailed, StageParked)}
_BEAT = Message(frames.HEARTBEAT)


@dataclass
class _Watched:
    """A stream with viewers; of an analysis its newest milestones without a gap: who comes back is served from memory.

    Of others nothing is remembered: of what somebody said, each reading leaves out whose account was deleted.
    """

    tenant_id: UUID
    remembers: bool
    viewers: dict[Viewer, int] = field(default_factory=dict)  # each with its place in the rounds of heartbeats
    milestones: list[Message] = field(default_factory=list)
    ticks: dict[str, Message] = field(default_factory=dict)  # the newest of each run that is not over

    def keep(self, message: Message) -> None:
        """Add the next milestone; one that does not follow begins anew."""
        if not self.remembers:
            return
        newest = self.milestones[-1].version if self.milestones else None
        if newest is not None and message.version is not None and message.version <= newest:
            return
        if newest is not None and message.version != newest + 1:
            self.milestones.clear()
        self.milestones.append(message)
        del self.milestones[:-_KEPT]


class Hub:
    """The viewers of each stream. Frames are encoded once, however many watch."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._tenants: Counter[UUID] = Counter()
        self._ticks: dict[tuple[str, str], str] = {}
        self._grown: set[str] = set()
        self._new: list[tuple[UUID, UUID]] = []
        self._round = 0
        self._places = 0
        self.closing = asyncio.Event()

    @property
    def viewers(self) -> int:
        """How many are connected."""
        return sum(len(watched.viewers) for watched in self._watched.values())

    @property
    def tenants(self) -> list[UUID]:
        """Whose streams are watched."""
        return list(self._tenants)

    def subscribe(self, tenant_id: UUID, stream_id: str, viewer: Viewer) -> None:
        """Put what happens from now on in a tenant's stream to `viewer`, until `unsubscribe`."""
        if self.closing.is_set():
            viewer.send_away(frames.RESYNC)
        watched = self._watched.get(stream_id)
        if watched is None:
            is_analysis = stream_id.startswith(ANALYSIS)
            watched = self._watched[stream_id] = _Watched(tenant_id, remembers=is_analysis)
            self._tenants[tenant_id] += 1
            if is_analysis:
                self._new.append((tenant_id, UUID(stream_id.removeprefix(ANALYSIS))))
        self._places += 1
        watched.viewers[viewer] = self._places % BEATS

    def newly_watched(self) -> list[tuple[UUID, UUID]]:
        """The tenants and analyses that nobody watched before, since the last call."""
        new, self._new = self._new, []
        return new

    def ticks(self, stream_id: str) -> list[Message]:
        """The newest tick of each run of an analysis that is watched."""
        watched = self._watched.get(stream_id)
        return list(watched.ticks.values()) if watched is not None else []

    def unsubscribe(self, stream_id: str, viewer: Viewer) -> None:
        """Put nothing to `viewer` any more."""
        watched = self._watched[stream_id]
        del watched.viewers[viewer]
        if not watched.viewers:
            del self._watched[stream_id]
            self._tenants[watched.tenant_id] -= 1
            if not self._tenants[watched.tenant_id]:
                del self._tenants[watched.tenant_id]

    def since(self, stream_id: str, version: int) -> list[Message] | None:
        """The milestones after `version` that were published; None where memory does not reach back so far."""
        watched = self._watched.get(stream_id)
        if watched is None or not watched.milestones:
            return None
        first = watched.milestones[0].version or 0
        return watched.milestones[version + 1 - first :] if version + 1 >= first else None

    def learn(self, stream_id: str, milestones: list[Message]) -> None:
        """Keep what was read from the log of an analysis, where it reaches up to what was published, or nothing was."""
        watched = self._watched.get(stream_id)
        if watched is not None:
            known, watched.milestones = watched.milestones, []
            for message in (*milestones, *known):
                watched.keep(message)

    def publish(self, envelope: Envelope) -> None:
        """Hand an event to the viewers of its stream; those of its repository hear with the next flush that it grew."""
        whole = f"{REPOSITORY}{envelope.repository_id}"
        if whole in self._watched and envelope.stream_id.startswith(ANALYSIS):
            self._grown.add(whole)
        watched = self._watched.get(envelope.stream_id)
        if watched is not None:
            message = milestone(envelope)
            watched.keep(message)
            if envelope.event_type in _ENDS:
                over = str(envelope.data.get("run_id"))
                watched.ticks.pop(over, None)
                self._ticks.pop((envelope.stream_id, over), None)
            for viewer in list(watched.viewers):
                viewer.put(message)

    def offer_tick(self, tenant_id: UUID, analysis_id: UUID, run_id: str, tick: str) -> None:
        """Keep the newest tick of a run until the next flush; dropped where nobody of the tenant watches."""
        stream_id = f"{ANALYSIS}{analysis_id}"
        watched = self._watched.get(stream_id)
        if watched is not None and watched.tenant_id == tenant_id:
            self._ticks[stream_id, run_id] = tick

    def flush_ticks(self) -> None:
        """Hand on the newest tick of each run, and which repositories grew. Called four times a second."""
        grown, self._grown = self._grown, set()
        for stream_id in grown & self._watched.keys():
            for viewer in list(self._watched[stream_id].viewers):
                viewer.put(Message(frames.GROWN, run_id=stream_id))
        ticks, self._ticks = self._ticks, {}
        for (stream_id, run_id), tick in ticks.items():
            watched = self._watched.get(stream_id)
            if watched is not None:
                message = watched.ticks[run_id] = Message(frames.frame("tick", tick), run_id=run_id)
                for viewer in list(watched.viewers):
                    viewer.put(message)

    def beat(self) -> None:
        """Send a heartbeat to the viewers whose round it is. Called as often as the ticks are handed on."""
        self._round = (self._round + 1) % BEATS
        for watched in self._watched.values():
            for viewer in [viewer for viewer, place in watched.viewers.items() if place == self._round]:
                viewer.put(_BEAT)

    def recall(self) -> None:
        """Ask every viewer to come back: something may have happened that was not published."""
        for watched in self._watched.values():
            watched.milestones.clear()
        self._send_away(frames.RESYNC)

    def close(self) -> None:
        """Send every viewer away; they come back to another process, and miss nothing."""
        self.closing.set()
        self._send_away(frames.RESYNC)

    def _send_away(self, last_words: bytes) -> None:
        for watched in self._watched.values():
            for viewer in list(watched.viewers):
                viewer.send_away(last_words)


def milestone(envelope: Envelope) -> Message:
    """An event as the viewers of its stream get it."""
    return Message(frames.milestone(envelope), version=envelope.version)
