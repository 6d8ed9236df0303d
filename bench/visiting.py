"""Somebody who is signed in and speaks Streamlit's own protocol to the pages, as their browser would."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from orchestrator.auth.sessions import COOKIE
from tests.support.git_server import GitServer
from tests.support.github import GitHubStandIn
from tests.support.signing_in import settings_for
from tests.support.system import System

_RUNS_KEPT = 2  # in which a large message is not shown before a browser forgets it, as Streamlit's own is told
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
            if view["ready_at"] is not None and _is_linked(view):
                await http.post(f"{base}/analyses/{begun['analysis_id']}/cancel")  # or refining would be measured, too
                return str(begun["analysis_id"])
            await asyncio.sleep(1)


def _is_linked(view: Any) -> bool:  # noqa: ANN401  # JSON
    return any(stage["stage"] == "link" and stage["state"] == "completed" for stage in view["stages"])


class Ran(NamedTuple):
    """How a script ended, and what the browser was sent until then."""

    status: str
    messages: int
    size: int  # bytes, before they are compressed


class Tab:
    """One page that is open in a browser, as far as the page server can tell.

    Like the browser it shows what stands in its fields, its address, and which large messages it still has.
    """

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        self._socket = socket
        self._page = page
        self._query = query
        self._values: dict[str, WidgetState] = {}
        self._ids: dict[str, str] = {}  # of fields, by what they are called
        self._fragments: dict[str, str] = {}  # in which fields are, by their ids
        self._fragment = ""  # that is to be run alone, for what was done in it
        self._kept: dict[str, tuple[ForwardMsg, int]] = {}  # by hash, with the run in which it was last shown
        self._runs = 0
        self.question: str | None = None  # the one whose answer is being written
        self.answers = 0  # that are shown

    def has(self, label: str) -> bool:
        """Whether there is such a field."""
        return label in self._ids

    def turn_on(self, label: str) -> None:
        """Turn a switch on; its script has to be run for it."""
        self._set(WidgetState(id=self._ids[label], bool_value=True))

    def write(self, label: str, text: str) -> None:
        """Write into a field."""
        self._set(WidgetState(id=self._ids[label], string_value=text))

    async def say(self, placeholder: str, text: str) -> Ran:
        """Send a question."""
        said = WidgetState(id=self._ids[placeholder])
        said.chat_input_value.data = text
        return await self.run(said)

    async def run(self, pressed: WidgetState | None = None) -> Ran:
        """Run the script as a browser asks for it, and wait for its end."""
        messages = size = 0
        self._runs += 1
        self._kept = {name: kept for name, kept in self._kept.items() if self._runs - kept[1] <= _RUNS_KEPT}
        await self._socket.send(self._wanted(pressed).SerializeToString())
        while True:
            sent = await self._socket.recv(decode=False)
            messages, size = messages + 1, size + len(sent)
            heard = self._whole(ForwardMsg.FromString(sent))
            kind = heard.WhichOneof("type")
            if kind == "new_session":
                self.question, self.answers = None, 0
            elif kind == "page_info_changed":
                self._query = heard.page_info_changed.query_string
            elif kind == "script_finished":
                status = ForwardMsg.ScriptFinishedStatus.Name(heard.script_finished)
                if status != "FINISHED_EARLY_FOR_RERUN":
                    return Ran(status.replace("FRAGMENT_RUN_", ""), messages, size)
            elif kind == "delta" and heard.delta.WhichOneof("type") == "new_element":
                self._take(heard.delta.new_element, heard.delta.fragment_id)
                if problem := _problem(heard.delta.new_element):
                    return Ran(problem, messages, size)

    def _set(self, state: WidgetState) -> None:
        self._values[state.id] = state
        self._fragment = self._fragments.get(state.id, "")

    def _wanted(self, pressed: WidgetState | None) -> BackMsg:
        message = BackMsg()
        asked = message.rerun_script
        asked.page_name, asked.query_string = self._page, self._query
        asked.widget_states.widgets.extend([*self._values.values(), *([pressed] if pressed is not None else [])])
        asked.cached_message_hashes.extend(self._kept)
        asked.fragment_id, self._fragment = self._fragment, ""
        return message

    def _whole(self, heard: ForwardMsg) -> ForwardMsg:
        """The message that one stands for which says only which it is."""
        if heard.WhichOneof("type") == "ref_hash":
            heard = self._kept[heard.ref_hash][0]
            self._kept[heard.hash] = (heard, self._runs)
        elif heard.metadata.cacheable:
            self._kept[heard.hash] = (heard, self._runs)
        return heard

    def _take(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind in {"checkbox", "text_input"}:
            field = getattr(element, kind)
            self._ids[field.label], self._fragments[field.id] = field.id, fragment
        elif kind == "chat_input":
            self._ids[element.chat_input.placeholder] = element.chat_input.id
        elif kind == "bidi_component" and element.bidi_component.component_name.endswith("live_answer"):
            self.question = str(json.loads(element.bidi_component.json)["question_id"])
        elif kind == "bidi_component" and element.bidi_component.component_name.endswith("_answer"):
            self.answers += 1


async def answered(system: System, person: Person, question: str) -> None:
    """Hear an answer being written, as the page does, to its end."""
    url = f"{system.page}/api/v1/questions/{question}/stream"
    headers = {"cookie": person.header, "accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as http,
        http.stream("GET", url) as reply,
    ):
        async for line in reply.raise_for_status().aiter_lines():
            if line.startswith("data:") and json.loads(line[5:]).get("type") in {"done", "failed"}:
                return
    raise AssertionError("an answer's stream ended before the answer")


def _problem(element: Element) -> str:
    """What an element says went wrong: an exception, or a notice in place of the page; empty for anything else."""
    if element.WhichOneof("type") == "exception":
        return str(element.exception.type)
    return element.html.body if 'role="alert"' in element.html.body else ""


@asynccontextmanager
async def opened(system: System, person: Person, page: str) -> AsyncIterator[Tab]:
    """A page's connection, as their browser opens it; its script has not been run yet."""
    url = f"{system.page.replace('http', 'ws', 1)}/_stcore/stream"
    headers = {"cookie": person.header, "origin": system.page}
    protocols = [Subprotocol("streamlit")]
    async with connect(url, additional_headers=headers, subprotocols=protocols, max_size=None, proxy=None) as socket:
        yield Tab(socket, PAGES[page], query_of(person, page))


def query_of(person: Person, page: str) -> str:
    """What their address has behind the path of a page."""
    return "" if page == "start" else f"analysis={person.analysis}"
