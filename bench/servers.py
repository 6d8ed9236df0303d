"""The embedded servers under a benchmark that has no services."""

from contextlib import ExitStack
from pathlib import Path

from migrations import upgrade
from runtime.embedded.chroma import EmbeddedChroma
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.valkey import EmbeddedValkey


def start_servers(home: Path, stack: ExitStack) -> list[str]:
    """Start PostgreSQL with its schema, Valkey and Chroma in `home` until `stack` is closed: their addresses."""
    urls = []
    for server in (
        EmbeddedPostgres(home / "postgres"),
        EmbeddedValkey(home / "valkey"),
        EmbeddedChroma(home / "chroma"),
    ):
        urls.append(server.start())
        stack.callback(server.stop)
    upgrade(urls[0])
    return urls
