"""A service that says on loopback whether it is ready."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.applications import Starlette

from runtime.health import Check, health_routes


@contextmanager
def a_service(check: Check) -> Iterator[str]:
    """Its address; ready where `check` of its database returns."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=health_routes({"database": check}, timeout=5.0)), log_config=None)
    )
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


async def answers() -> None:
    """A check of what is there."""


async def refuses() -> None:
    """A check of what is not."""
    raise ConnectionRefusedError("nobody listens")
