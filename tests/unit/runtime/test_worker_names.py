"""Workers of different hosts have different names."""

import os
import socket
from pathlib import Path

import pytest

from runtime.worker_names import worker_name

_ROOT = Path(__file__).parents[3]
_BUILDING = (
    "processor/app.py",
    "rag_manager/app.py",
    "ai_engine/app.py",
    "orchestrator/app.py",
    "orchestrator/process.py",
)


def test_the_same_process_number_on_two_hosts_is_two_workers() -> None:
    names = {worker_name("processor", host=host, pid=7) for host in ("pod-a", "pod-b")}

    assert names == {"processor-pod-a-7", "processor-pod-b-7"}


def test_without_more_it_is_this_process_on_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "repostream-processor-5d9c7b-x2x4q")

    assert worker_name("processor") == f"processor-repostream-processor-5d9c7b-x2x4q-{os.getpid()}"


@pytest.mark.parametrize(
    ("host", "said"),
    [("a b:c\n", "a-b-c"), ("", "host"), ("---", "host"), ("x" * 300, "x" * 63), ("mühle", "m-hle")],
)
def test_a_host_with_an_unusual_name_makes_a_plain_one(host: str, said: str) -> None:
    assert worker_name("ai_engine", host=host, pid=1) == f"ai_engine-{said}-1"


@pytest.mark.parametrize("file", _BUILDING)
def test_every_service_names_its_workers_so(file: str) -> None:
    source = (_ROOT / file).read_text()

    assert "worker_name(" in source
    assert "getpid" not in source
