"""What the running system says of a project: analysed from a git server on loopback, and read back through the API."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from bench.incremental import until_loaded
from bench.projects.tools import commit_of
from tests.support.git_server import GitServer
from tests.support.system import System

_LIMITS = {"REPOSTREAM_LIMITS_REQUESTS": "user:1000000/minute"}
_LISTS = ("files", "symbols", "dependencies")


@dataclass(frozen=True)
class Analysed:
    """A project as the API tells it, and where its files are checked out."""

    name: str
    root: Path
    view: dict[str, Any]
    lists: dict[str, list[dict[str, Any]]]
    by: str = ""  # the commit of the code that analysed it

    @property
    def files(self) -> list[dict[str, Any]]:
        """All entries of the tree."""
        return self.lists["files"]

    @property
    def metadata(self) -> dict[str, Any]:
        """What the project says about itself."""
        return dict(self.view["metadata"])

    @property
    def languages(self) -> dict[str, str | None]:
        """Path → language, of the files that were read."""
        return {file["path"]: file["language"] for file in self.files if file["skipped"] is None}

    @property
    def dependencies(self) -> list[dict[str, Any]]:
        """Every mention."""
        return self.lists["dependencies"]

    def imports(self) -> list[dict[str, Any]]:
        """Every import; `level` as the beginning of a relative one of Python shows it."""
        return self.lists["imports"]

    def symbols_by_file(self) -> dict[str, list[dict[str, Any]]]:
        """Definitions by path."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for symbol in self.lists["symbols"]:
            found[symbol["path"]].append(symbol)
        return found

    def keep(self, file: Path) -> None:
        """Write all of it down, to be compared again without another analysis."""
        file.write_text(json.dumps({"view": self.view, "lists": self.lists, "by": self.by}))

    @classmethod
    def kept(cls, name: str, root: Path, file: Path) -> Self:
        """What `keep` wrote."""
        said = json.loads(file.read_text())
        return cls(name, root, said["view"], said["lists"], said.get("by", ""))


def analyse(repositories: Path, roots: dict[str, Path], work: Path) -> Iterator[Analysed]:
    """Analyse each of the bare repositories by one system; as soon as the graph of one is there it is given."""
    with System(work / "installation" / "home", _LIMITS) as system, GitServer(repositories) as host:
        for name, root in roots.items():
            began = time.monotonic()
            accepted = system.analyse(host.url(name))
            view = _until_linked(system, accepted["analysis_id"])
            lists = {what: list(_all(system.client, f"/analyses/{view['analysis_id']}/{what}", {})) for what in _LISTS}
            lists["imports"] = _imports(system.client, view["analysis_id"], lists["files"])
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
            yield Analysed(name, root, view, lists, commit_of(Path(__file__).parent))


def _until_linked(system: System, analysis_id: str, seconds: float = 1_200) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view = system.analysis(analysis_id)
        assert view["state"] != "failed", (view["code"], view["message"])
        if any(stage["stage"] == "link" and stage["state"] == "completed" for stage in view["stages"]):
            system.client.post(f"/analyses/{analysis_id}/cancel")  # refining would go on behind the next one
            until_loaded(system.database_url, analysis_id)
            return view
        time.sleep(0.5)  # the link stage ends seconds to minutes later; a stream would say no more
    raise AssertionError(f"no graph within {seconds} s: {view['stages']}")


def _imports(client: httpx.Client, analysis_id: str, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The imports of each file of a language, which the API lists by file."""
    paths = [file["path"] for file in files if file["outcome"] in {"parsed", "lines"} and file["language"]]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda path: list(_all(client, f"/analyses/{analysis_id}/imports", {"path": path})), paths)
        rows = [row for of_file in found for row in of_file]
    for row in rows:
        row["level"] = len(row["written"]) - len(row["written"].lstrip("."))
    return rows


def _all(client: httpx.Client, path: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
    asked = {**params, "limit": "500"}
    while True:
        reply = client.get(path, params=asked).raise_for_status().json()
        yield from reply["items"]
        if reply["next"] is None:
            return
        asked["cursor"] = reply["next"]
