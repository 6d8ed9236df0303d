"""An operator's own proxy, which our egress proxy goes through where one is configured."""

import asyncio
import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_MOST = 16_384  # bytes of its answer


@dataclass(frozen=True)
class Upstream:
    """An HTTP proxy. `login` is `user:password`, or empty."""

    host: str
    port: int
    login: str = field(default="", repr=False)


def read_upstream(url: str) -> Upstream | None:
    """`http://[user:password@]host:port`; None for an empty text. Raises ValueError with a sentence."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme != "http" or not parts.hostname or port is None or parts.path.strip("/"):
        raise ValueError("REPOSTREAM_INTAKE_PROXY must be http://host:port.")
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Upstream(parts.hostname, port, login)


async def open_tunnel(proxy: Upstream, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to `host` through the proxy. Raises OSError and EOFError where it does not let us through."""
    reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_MOST)
    try:
        await _ask(reader, writer, proxy, host, port)
    except BaseException:
        writer.close()
        raise
    return reader, writer


async def _ask(  # the two ends, the proxy, and what is asked of it
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Upstream, host: str, port: int
) -> None:
    shown = base64.b64encode(proxy.login.encode()).decode()
    login = f"Proxy-Authorization: Basic {shown}\r\n" if proxy.login else ""
    writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n".encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise EOFError from None
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ConnectionRefusedError
