"""The one way out for git: a SOCKS5 server on loopback that resolves, looks at every address, and connects itself.

git resolves and follows by itself whatever it is told; so it is told nothing but this proxy's address, and each
connection that it wants, the first and every later one, is looked at here at the moment it is made. The address that
was looked at is the address that is used. docs/decisions/0201-egress.md says why SOCKS.
"""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from processor.adapters.upstream import Upstream, open_tunnel
from runtime.addresses import Resolve, is_loopback, is_public, resolve
from runtime.repository_url import is_loopback_authority

_log = structlog.get_logger(__name__)

_VERSION, _NO_LOGIN, _CONNECT = 5, 0, 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
# Replies of RFC 1928. Nothing tells how a name resolves: unknown, unreachable and refused are one reply.
GRANTED, NOT_ALLOWED, UNREACHABLE, NOT_SUPPORTED = 0, 2, 4, 7

_ASKING_SECONDS = 10.0  # for the whole of the request
_RESOLVING_SECONDS = 15.0
_CONNECTING_SECONDS = 10.0  # for each address
_IDLE_SECONDS = 120.0  # without a byte either way; git itself gives up earlier
_MOST = 64  # connections at a time
_BLOCK = 262_144
_START_SECONDS = 10.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class EgressRules:
    """Where git may go: to `hosts` at `ports`, and, with `loopback`, to this machine by name, at any port.

    Every address of a host must be `allowed`. With an `upstream` proxy that one resolves and looks, in our place.
    """

    hosts: frozenset[str]
    loopback: bool = False
    ports: frozenset[int] = frozenset({443})
    allowed: Callable[[str], bool] = is_public
    upstream: Upstream | None = None


class Refused(Exception):
    """A connection that is not made, with the reply that says so."""

    def __init__(self, reply: int) -> None:
        super().__init__(f"reply {reply}")
        self.reply = reply


class EgressProxy:
    """Serves on a thread and a loop of its own, so that a busy service slows no download down."""

    def __init__(self, rules: EgressRules, *, resolver: Resolve = resolve) -> None:
        self._rules = rules
        self._resolver = resolver
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_MOST)
        self._slots = asyncio.Semaphore(_MOST)
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="egress", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """What git is told: `socks5h`, so that names come here unresolved."""
        return f"socks5h://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()
        self._ready.wait(_START_SECONDS)

    def close(self) -> None:
        """End all connections and the thread."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_START_SECONDS)
        self._listener.close()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        """Until it is stopped; connections that are open then are cancelled by the runner."""
        server = await asyncio.start_server(self._answer, sock=self._listener)
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._slots:
                await self._connection(reader, writer)
        except (OSError, EOFError, TimeoutError) as error:
            _log.debug("egress_broken", error=type(error).__name__)
        finally:
            await _close(writer)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_ASKING_SECONDS):
                host, port = await _request(reader, writer)
        except Refused as refusal:
            await _reply(writer, refusal.reply)
            return
        try:
            remote = await self._connect(host, port)
        except Refused as refusal:
            _log.warning("egress_refused", host=host[:255], port=port, reply=refusal.reply)
            await _reply(writer, refusal.reply)
            return
        try:
            await _reply(writer, GRANTED)
            await _tunnel((reader, writer), remote)
        finally:
            await _close(remote[1])

    async def _connect(self, host: str, port: int) -> Streams:
        """A connection to one of the host's addresses, all of which passed. Raises Refused."""
        rules = self._rules
        is_local = rules.loopback and is_loopback_authority(host)
        if not is_local and (host not in rules.hosts or port not in rules.ports):
            raise Refused(NOT_ALLOWED)
        if rules.upstream is not None and not is_local:
            try:
                async with asyncio.timeout(_CONNECTING_SECONDS):
                    return await open_tunnel(rules.upstream, host, port)
            except (OSError, EOFError, TimeoutError):
                raise Refused(UNREACHABLE) from None
        addresses = await self._resolved(host, port)
        if not all((is_loopback if is_local else rules.allowed)(address) for address in addresses):
            raise Refused(NOT_ALLOWED)
        for address in addresses:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECTING_SECONDS):
                    return await asyncio.open_connection(address, port, limit=_BLOCK)
        raise Refused(UNREACHABLE)

    async def _resolved(self, host: str, port: int) -> list[str]:
        """Asked on a thread that may be left behind: the system's resolver can neither be hurried nor stopped."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def tell(addresses: list[str]) -> None:
            if not answer.done():
                answer.set_result(addresses)

        def ask() -> None:
            found: list[str] = []
            with suppress(OSError, UnicodeError):
                found = self._resolver(host, port)
            with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(tell, found)

        threading.Thread(target=ask, name="egress resolve", daemon=True).start()
        try:
            addresses = await asyncio.wait_for(answer, _RESOLVING_SECONDS)
        except TimeoutError:
            raise Refused(UNREACHABLE) from None
        if not addresses:
            raise Refused(UNREACHABLE)
        return addresses


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """The host and port that are wanted. Raises Refused and, for what is no SOCKS at all, EOFError."""
    version, methods = await reader.readexactly(2)
    if version != _VERSION or _NO_LOGIN not in await reader.readexactly(methods):
        raise EOFError
    writer.write(bytes((_VERSION, _NO_LOGIN)))
    version, command, _, kind = await reader.readexactly(4)
    if version != _VERSION or command != _CONNECT:
        raise Refused(NOT_SUPPORTED)
    host = await _host(reader, kind)
    return host, int.from_bytes(await reader.readexactly(2))


async def _host(reader: asyncio.StreamReader, kind: int) -> str:
    if kind == _NAME:
        [length] = await reader.readexactly(1)
        return (await reader.readexactly(length)).decode("ascii", "replace").lower()
    if kind == _IPV4:
        return str(ipaddress.IPv4Address(await reader.readexactly(4)))
    if kind == _IPV6:
        return str(ipaddress.IPv6Address(await reader.readexactly(16)))
    raise Refused(NOT_SUPPORTED)


_NOWHERE: Final = bytes((0, _IPV4, 0, 0, 0, 0, 0, 0))  # the address that a reply has room for says nothing


async def _reply(writer: asyncio.StreamWriter, reply: int) -> None:
    writer.write(bytes((_VERSION, reply)) + _NOWHERE)
    await writer.drain()


async def _tunnel(inner: Streams, outer: Streams) -> None:
    """Carry bytes both ways until both have ended, one breaks, or nothing moves either way for `_IDLE_SECONDS`.

    One way may be silent while the other is busy: a client that downloads says nothing.
    """
    ways: list[asyncio.Future[None]] = []
    try:
        async with asyncio.timeout(_IDLE_SECONDS) as silence:
            pairs = ((inner[0], outer[1]), (outer[0], inner[1]))
            ways.extend(asyncio.ensure_future(_carry(*pair, silence)) for pair in pairs)
            await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, silence: asyncio.Timeout) -> None:
    """One way, to its end, which is passed on; each block that moves puts the end of the silence off."""
    loop = asyncio.get_running_loop()
    while block := await source.read(_BLOCK):
        target.write(block)
        await target.drain()
        if not silence.expired():
            silence.reschedule(loop.time() + _IDLE_SECONDS)
    target.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
