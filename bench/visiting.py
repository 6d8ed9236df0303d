"""Somebody who is signed in and speaks Streamlit's own protocol to the pages, as their browser would."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from orchestrator.auth.sessions import COOKIE
from tests.support.git_server import GitServer
from tests.support.github import GitHubStandIn
from tests.support.signing_in import settings_for
from tests.support.system import System

PAGES = {"start": "", "analysis": "analysis", "chat": "chat", "events": "events"}


@dataclass
class Person:
    """Somebody who is signed in, with an analysis of their own."""

    cookies: dict[str, str]
    analysis: str

    @property
    def header(self) -> str:
        """Their cookies, as a browser sends them."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@contextmanager
def an_installation(repository: Path, prefix: str) -> Iterator[tuple[System, GitHubStandIn, str]]:
    """One where people sign in by a stand-in for GitHub; with the address under which the repository is served."""
    with (
        tempfile.TemporaryDirectory(prefix=prefix) as folder,
        GitServer(repository.parent) as host,
        GitHubStandIn() as github,
    ):
        system = System(Path(folder) / "home")
        system.environment |= settings_for(github, system.page)
        with system:
            yield system, github, host.url(repository.name.removesuffix(".git"))


async def sign_in(system: System, github: GitHubStandIn, number: int) -> dict[str, str]:
    """Somebody new; the cookies that they have then."""
    cookies: dict[str, str] = {}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:

        async def go(url: str) -> str:
            reply = await http.get(url, headers={"cookie": "; ".join(f"{n}={v}" for n, v in cookies.items())})
            for line in reply.headers.get_list("set-cookie"):
                name, _, rest = line.partition("=")
                cookies[name] = rest.partition(";")[0].strip('"')
            return reply.headers["location"]

        provider = await go(f"{system.page}/auth/login")
        github.user |= {"id": 1_000 + number, "login": f"person{number}", "name": f"Person {number}"}
        back = urlsplit((await http.get(provider)).headers["location"])
        await go(f"{system.page}{back.path}?{back.query}")
    assert cookies.get(COOKIE), f"person {number} is not signed in"
    return {COOKIE: cookies[COOKIE]}


async def analysed(system: System, cookies: dict[str, str], url: str) -> str:
    """The repository's analysis of whoever has these cookies, once it is ready; it is not refined."""
    base = f"{system.client.base_url}".rstrip("/")
    headers = {"origin": base.removesuffix("/api/v1"), "cookie": f"{COOKIE}={cookies[COOKIE]}"}
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as http:
        begun = (await http.post(f"{base}/analyses", json={"url": url})).raise_for_status().json()
        while True:
            view = (await http.get(f"{base}/analyses/{begun['analysis_id']}")).raise_for_status().json()
            assert view["state"] not in {"failed", "cancelled"}, view
            if view["ready_at"] is not None:
                await http.post(f"{base}/analyses/{begun['analysis_id']}/cancel")  # or refining would be measured, too
                return str(begun["analysis_id"])
            await asyncio.sleep(1)


class Ran(NamedTuple):
    """How a script ended, and what the browser was sent until then."""

    status: str
    messages: int
    size: int  # bytes, before they are compressed


async def run_script(socket: ClientConnection, page: str, query: str) -> Ran:
    """Run a page's script as a browser asks for it, and wait for its end."""
    messages = size = 0
    message = BackMsg()
    message.rerun_script.page_name = page
    message.rerun_script.query_string = query
    await socket.send(message.SerializeToString())
    while True:
        sent = await socket.recv(decode=False)
        messages, size = messages + 1, size + len(sent)
        heard = ForwardMsg.FromString(sent)
        if heard.WhichOneof("type") == "script_finished":
            status = ForwardMsg.ScriptFinishedStatus.Name(heard.script_finished)
            if status != "FINISHED_EARLY_FOR_RERUN":
                return Ran(status, messages, size)
        elif heard.WhichOneof("type") == "delta" and (problem := _problem(heard.delta.new_element)):
            return Ran(problem, messages, size)


def _problem(element: Element) -> str:
    """What an element says went wrong: an exception, or a notice in place of the page; empty for anything else."""
    if element.WhichOneof("type") == "exception":
        return str(element.exception.type)
    return element.html.body if 'role="alert"' in element.html.body else ""


def opened(system: System, person: Person) -> connect:
    """A page's connection, as their browser opens it."""
    url = f"{system.page.replace('http', 'ws', 1)}/_stcore/stream"
    headers = {"cookie": person.header, "origin": system.page}
    return connect(url, additional_headers=headers, subprotocols=["streamlit"], max_size=None, proxy=None)  # type: ignore[list-item]  # a name


def query_of(person: Person, page: str) -> str:
    """What their address has behind the path of a page."""
    return "" if page == "start" else f"analysis={person.analysis}"
