"""`repostream mcp`: the tools for editors and agents, over this process's standard input and output."""

import asyncio

import httpx

from cli.api import KeySettings, api_url
from cli.exits import OK

_SECONDS = 30.0  # of one request


def run_mcp() -> int:
    """The command; returns its exit code once the input ends."""
    asyncio.run(_serve())
    return OK


async def _serve() -> None:
    from runtime.agents.asking import Asking
    from runtime.agents.server import serve_stdio

    key = KeySettings().api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=api_url(), headers=headers, timeout=_SECONDS, trust_env=False) as http:
        await serve_stdio(Asking(http))
