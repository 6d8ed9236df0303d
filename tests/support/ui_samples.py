"""Scripted analyses for the tests of the pages: running, ready, in part, failed, hostile."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support import histories
from tests.support.api_stand_in import Scripted, StandIn

COMMIT = "36e4a824f340fdee7ed50937ba8e7f6bc7d17f81"
HOSTILE_NAME = '"><img src=x onerror=alert(1)> ![x](http://127.0.0.1:9/x) :material/home: $x$ ' + "verylongname" * 12
APP = "src/flask/app.py"


def source(lines: int = 400) -> str:
    """Python of `lines` lines; line 110 begins a class."""
    text = [f"value_{n} = {n}  # line {n}" for n in range(1, lines + 1)]
    text[109:114] = [
        "class Flask(App):",
        '    """The application object."""',
        "",
        "    def run(self) -> None:",
        '        print("hello")',
    ]
    return "\n".join(text)


def running(api: StandIn, name: str = "pallets/flask") -> Scripted:
    """Cloned, metadata read, four shards being parsed."""
    analysis = api.begin(name)
    analysis.clock -= timedelta(seconds=20)
    analysis.view["requested_at"] = analysis.clock.isoformat()
    started: dict[str, Any] = {"url": analysis.view["url"], "ref": "main", "size": 4_100_000}
    analysis.run("clone", seconds=3.2, files=262, counts={"files": 262, "skipped": 14})
    analysis.say("repository.processing.started", commit=COMMIT, file_count=262, skipped_count=14, **started)
    facts = {"readme_title": "Flask", "licence": {"spdx": "BSD-3-Clause"}, "dependencies_found": 15, "config_files": 3}
    names = ["werkzeug", "jinja2", "itsdangerous", "click", "blinker"]
    analysis.view["metadata"] = facts | {"dependencies": [{"name": name} for name in names]}
    analysis.view["structure"] = {"classes": {"source": {"files": 83}, "test": {"files": 61}, "docs": {"files": 99}}}
    analysis.view["languages"] = {"python": 412_000, "html": 21_000, "rst": 180_000, "css": 9_000}
    analysis.run("metadata", seconds=0.6, files=10, counts={"config_files": 3})
    analysis.run("structure", seconds=0.4, files=262)
    for shard in range(4):
        analysis.say("processing.stage.requested", "parse", shard=shard, shards=4)
        analysis.say("processing.stage.started", "parse", shard=shard, shards=4, worker="worker-1")
    return analysis


def parse_shard(analysis: Scripted, shard: int) -> None:
    """One of the four shards is parsed."""
    counts = {"symbols": 460 + shard, "chunks": 310, "edges": 1_204}
    analysis.say(
        "processing.stage.completed",
        "parse",
        shard=shard,
        shards=4,
        duration=2.1,
        files_processed=65,
        counts=counts,
    )


def become_answerable(analysis: Scripted) -> None:
    """All shards parsed, the words indexed."""
    for shard in range(4):
        parse_shard(analysis, shard)
    analysis.run("index", seconds=1.1, counts={"chunks": 1_240})


def become_ready(analysis: Scripted, *, failed: dict[str, int] | None = None) -> None:
    """From answerable to ready."""
    for shard in range(4):
        analysis.run("embed", seconds=0.8, counts={"vectors": 310}, shard=shard, shards=4)
    analysis.run("activate", seconds=0.3)
    totals = {"files": 262, "symbols": 1_846, "chunks": 1_240}
    skipped = {"binary": 9, "too_large": 1, "vendored": 4}
    analysis.say(
        "repository.processing.completed",
        commit=COMMIT,
        totals=totals,
        skipped=skipped,
        failed=failed or {},
        duration=14.2,
        partial=bool(failed),
    )
    analysis.left_out = [
        {"path": f"docs/_static/picture-{n}.png", "skipped": "binary", "size": 18_000 + n} for n in range(9)
    ]


def complete(api: StandIn, name: str = "pallets/flask") -> Scripted:
    """Everything done, refined, with a source to open."""
    analysis = running(api, name)
    become_answerable(analysis)
    become_ready(analysis)
    analysis.run("refine", seconds=40.0, counts={"vectors": 1_240})
    analysis.run("promote", seconds=0.2)
    analysis.run("link", seconds=0.4)
    analysis.say("repository.processing.refined", duration=60.1)
    analysis.sources[APP] = source()
    return analysis


def failed(api: StandIn, name: str = "nobody/missing") -> Scripted:
    """The clone was refused for good."""
    analysis = api.begin(name)
    analysis.say("processing.stage.requested", "clone")
    analysis.say("processing.stage.started", "clone", worker="worker-1")
    why = {"kind": "permanent", "code": "repository_not_found"}
    why["message"] = "The host has no such repository, or it is private: check the address."
    analysis.say("processing.stage.failed", "clone", duration=0.4, **why)
    analysis.say("repository.processing.failed", "clone", **why)
    return analysis


def recorded(api: StandIn, history: str) -> Scripted:
    """An analysis whose events are those of a golden history."""
    analysis = complete(api)
    analysis.events[:] = [event.model_dump(mode="json") for event in histories.load(history).events]
    return analysis


def answer(**changes: Any) -> dict[str, Any]:
    """A whole answer with two citations and three passages."""
    passages = [
        {
            "chunk_id": f"c{n}",
            "path": APP,
            "first_line": 110 + n,
            "last_line": 114 + n,
            "text": "class Flask(App):\n    ...",
        }
        | {"language": "python", "file_class": "source", "symbols": ["Flask", "Flask.run"], "score": 0.91 - n / 10}
        | {"ranks": {"lexical": n + 1, "vector": n + 2}}
        for n in range(3)
    ]
    text = (
        f"**Flask** is a WSGI framework. The application object is `Flask` [{APP}:110-114], "
        f"and `run` starts it [{APP}:113-114].\n\n```python\napp = Flask(__name__)\napp.run()\n```\n\n"
        "1. Create the object.\n2. Register routes with *decorators*.\n3. Run it."
    )
    base = {
        "answer": text,
        "mode": "generated",
        "provider": "openai",
        "model": "gpt-test",
        "prompt": "answer-v5",
        "citations": [
            {"path": APP, "first_line": 110, "last_line": 114, "chunk_id": "c0"},
            {"path": APP, "first_line": 113, "last_line": 114, "chunk_id": "c0"},
        ],
        "passages": passages,
        "commit": COMMIT,
        "generation_kind": "full",
        "confidence": 0.82,
        "response_time": 1.9,
        "input_tokens": 4_120,
        "output_tokens": 210,
        "asked_at": datetime.now(UTC).isoformat(),
    }
    return base | changes
