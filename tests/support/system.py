"""The whole system as a person starts it (`repostream up`), in a home of its own, on free ports."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

SERVICES = ("orchestrator", "processor", "rag_manager", "ai_engine")
DONE = frozenset({"refined", "failed", "cancelled"})


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class System:
    """`repostream up` while it is entered. `environment` is added to the process's own."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.api_port, self.page_port = free_port(), free_port()
        self.page = f"http://127.0.0.1:{self.page_port}"
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.api_port}/api/v1", timeout=20)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("repostream")), "up"]
        with (self.home.parent / "up.log").open("ab") as output:
            self._process = subprocess.Popen(command, env=self.variables(), stdout=output, stderr=subprocess.STDOUT)
        self._wait_until_up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.close()
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    @property
    def pid(self) -> int:
        """The process of `repostream up`."""
        assert self._process
        return self._process.pid

    def variables(self) -> dict[str, str]:
        """The environment that `up` and the other commands run in."""
        return {
            **os.environ,
            "REPOSTREAM_HOME": str(self.home),
            **{f"REPOSTREAM_{name.upper()}_PORT": str(free_port()) for name in SERVICES},
            "REPOSTREAM_ORCHESTRATOR_PORT": str(self.api_port),
            "REPOSTREAM_WEB_UI_PORT": str(self.page_port),
            "REPOSTREAM_INTERNAL_ORCHESTRATOR_URL": f"http://127.0.0.1:{self.api_port}",
            "REPOSTREAM_INTAKE_LOOPBACK": "true",
            **self.environment,
        }

    def _wait_until_up(self, seconds: float = 120) -> None:
        assert self._process
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            if _answers(f"{self.page}/readyz") and _answers(f"http://127.0.0.1:{self.api_port}/readyz"):
                return
            time.sleep(0.2)
        raise AssertionError(f"the system is not up:\n{self.output()}")

    def output(self) -> str:
        """What `repostream up` has printed."""
        return (self.home.parent / "up.log").read_text(errors="replace")[-4_000:]

    def run(self, *arguments: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Run the command line against this system."""
        command = [str(Path(sys.executable).with_name("repostream")), *arguments]
        return subprocess.run(
            command, env=self.variables(), capture_output=True, text=True, timeout=seconds, check=False
        )

    def analyse(self, url: str, ref: str | None = None) -> dict[str, Any]:
        """Ask for an analysis; the accepted one."""
        reply = self.client.post("/analyses", json={"url": url, "ref": ref})
        assert reply.status_code in {200, 202}, reply.text
        return dict(reply.json())

    def analysis(self, analysis_id: str) -> dict[str, Any]:
        """An analysis as it is now; asked again where the orchestrator is just being restarted."""
        for _ in range(150):
            try:
                reply = self.client.get(f"/analyses/{analysis_id}")
                if reply.status_code == httpx.codes.OK:
                    return dict(reply.json())
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"no analysis {analysis_id}:\n{self.output()}")

    def wait(self, analysis_id: str, states: Collection[str] = DONE, seconds: float = 240) -> dict[str, Any]:
        """The analysis once it is in one of `states`, or has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            view = self.analysis(analysis_id)
            if view["state"] in states or view["state"] in DONE:
                return view
            time.sleep(0.2)
        raise AssertionError(f"still {view['state']} after {seconds} s: {view['stages']}\n{self.output()}")

    def history(self, analysis_id: str) -> list[dict[str, Any]]:
        """All events of an analysis, in order."""
        items: list[dict[str, Any]] = []
        params: dict[str, str | int] = {"limit": 500}
        while True:
            page = self.client.get(f"/analyses/{analysis_id}/history", params=params).json()
            items += page["items"]
            if page["next"] is None:
                return items
            params["cursor"] = page["next"]

    def ask(self, repository_id: str, query: str, seconds: float = 60, *, within: str | None = None) -> dict[str, Any]:
        """Ask in a new conversation, or `within` one, and wait for the stored answer."""
        if within is None:
            within = self.client.post("/conversations", json={"repository_id": repository_id}).json()["conversation_id"]
        return self.answer(
            self.client.post(f"/conversations/{within}/questions", json={"query": query}).json(), seconds
        )

    def answer(self, question: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """A question that was asked, once its answer is stored."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            view = self.client.get(f"/questions/{question['question_id']}").json()
            if view.get("state") in {"answered", "failed"}:
                return dict(view)
            time.sleep(0.1)
        raise AssertionError(f"no answer within {seconds} s")

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        """A conversation with its questions."""
        return dict(self.client.get(f"/conversations/{conversation_id}").raise_for_status().json())

    def cited(self, analysis_id: str, citation: dict[str, Any]) -> str:
        """The lines that a citation leads to."""
        span = {"path": citation["path"], "first": citation["first_line"], "last": citation["last_line"]}
        lines = self.client.get(f"/analyses/{analysis_id}/lines", params=span).raise_for_status().json()
        return str(lines["text"])

    def processes(self, word: str) -> list[psutil.Process]:
        """The processes below `up` whose command line has `word` in it."""
        assert self._process
        below = psutil.Process(self._process.pid).children(recursive=True)
        return [process for process in below if word in " ".join(_command_line(process))]

    def service(self, name: str) -> psutil.Process:
        """The process of one service."""
        below = self.processes(name)
        return next(process for process in below if {"cli.child", name} <= set(_command_line(process)))

    def kill(self, name: str) -> int:
        """End one service with SIGKILL; its process id."""
        process = self.service(name)
        process.kill()
        process.wait(10)
        return process.pid

    @property
    def database_url(self) -> str:
        """`postgresql://…` of the embedded server."""
        folder = self.home / "postgres"
        password, port = (folder / "password").read_text(), (folder / "port").read_text()
        return f"postgresql://repostream:{password}@127.0.0.1:{port}/repostream"

    @property
    def chroma_url(self) -> str:
        """`http://…` of the embedded server."""
        return f"http://127.0.0.1:{(self.home / 'chroma' / 'port').read_text()}"


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
