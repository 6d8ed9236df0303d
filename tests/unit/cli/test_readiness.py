"""What `doctor` says of a service, by a real one on loopback."""

import asyncio
import socket
from threading import Thread

import pytest
import uvicorn

from cli.readiness import why_not_ready
from tests.support.readiness import a_service, answers, refuses


async def hangs() -> None:
    await asyncio.sleep(30)


def test_a_service_that_is_ready_lacks_nothing() -> None:
    with a_service(answers) as url:
        assert why_not_ready(url) == ""


def test_what_a_service_waits_for_is_named() -> None:
    with a_service(refuses) as url:
        assert why_not_ready(url) == f"{url} is not ready: database: ConnectionRefusedError: nobody listens"


def test_one_that_hangs_is_told_from_one_that_is_not_there() -> None:
    with a_service(hangs) as url:
        assert why_not_ready(url, timeout=0.2).startswith(f"{url} does not answer within 0.2 s: it hangs")
    assert why_not_ready(url) == f"{url} does not answer: ConnectError"


@pytest.mark.parametrize("text", ["not JSON", "[]"])
def test_somebody_elses_server_on_that_port_is_not_ready(text: str) -> None:
    async def stranger(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": text.encode()})  # type: ignore[operator]

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(stranger, log_config=None, lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        assert why_not_ready(f"http://127.0.0.1:{listening.getsockname()[1]}") != ""
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
