"""Golden bundles: files as a release wrote them once, which every later one takes over.

    python -m tests.support.golden_bundles record    # starts an installation of its own: about a minute

There is one for each version of the format, `tests/bundles/<version>.zip`. A file that is there is never made again:
where the format gets a new version, the old ones stay, `record` adds the one that is missing, and what the project in
it says is looked at in `tests/unit/orchestrator/test_golden_bundles.py`. Workers are made nobody's, the times of the
manifest the same; all else is what the installation exported.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from events.base import Envelope
from events.replay import bundle
from events.replay.bundled import artifacts_of
from orchestrator.projections import analyses, conversations
from tests.support.archives import zip_of
from tests.support.system import System

FOLDER = Path(__file__).parents[1] / "bundles"
_STATE = ("state", "commit", "name", "url", "partial", "skipped", "failed", "languages")
AT = datetime(2026, 1, 1, tzinfo=UTC)
_BIRDS = '''"""Birds and where they sit."""


class Bird:
    """A bird that sings."""

    def __init__(self, name: str) -> None:
        self.name = name

    def sing(self) -> str:
        """The song of this bird."""
        return f"{self.name} sings"
'''
_FEEDING = '''"""Feeding at sunrise."""

from aviary.birds import Bird


def feed(bird: Bird, seeds: int) -> str:
    """Feed a bird with so many seeds; a fed bird sings."""
    if seeds < 1:
        raise ValueError("a bird needs seeds")
    return bird.sing()
'''
PROJECT = {
    "README.md": "# Aviary\n\nKeeps birds: each has a perch, and is fed at sunrise.\n",
    "aviary/birds.py": _BIRDS,
    "aviary/feeding.py": _FEEDING,
}
QUESTIONS = ("How is a bird fed with seeds?", "What does a bird sing?")


def all_paths() -> list[Path]:
    """The bundles that are there, the oldest version first."""
    return sorted(FOLDER.glob("*.zip"), key=lambda path: int(path.stem))


def state(path: Path) -> dict[str, Any]:
    """What people were shown of the analysis in a bundle, where it was made."""
    record = analyses.fold(bundle.read(path).events)
    assert record is not None
    shown = record.view.model_dump(mode="json")
    return {name: shown[name] for name in _STATE}


def answers() -> list[dict[str, Any]]:
    """The questions of the conversation that is in those with one, as people were shown them."""
    conversation = conversations.fold(bundle.read(FOLDER / "2.zip").conversation)
    assert conversation is not None
    return [question.model_dump(mode="json") for question in conversation.questions]


def record() -> None:
    """Write those that are missing."""
    with TemporaryDirectory() as folder, System(Path(folder) / "home") as system:
        upload = system.client.post("/uploads", params={"name": "aviary.zip"}, content=_archive()).json()
        analysis_id = system.analyse(upload["url"])["analysis_id"]
        repository_id = system.wait(analysis_id, {"refined"})["repository_id"]
        first = system.ask(repository_id, QUESTIONS[0])
        system.ask(repository_id, QUESTIONS[1], within=first["conversation_id"])
        system.client.post(f"/questions/{first['question_id']}/rating", json={"rating": 1})
        talk = (f"conversation/{first['conversation_id']}", "--with-analysis")
        FOLDER.mkdir(exist_ok=True)
        for number, (what, *options) in enumerate(((analysis_id,), talk)):
            exported = Path(folder) / f"{number}.zip"
            done = system.run("bundle", "export", what, str(exported), *options)
            assert done.returncode == 0, done.stderr
            _keep(bundle.read(exported))


def _archive() -> bytes:
    return zip_of({name: content.encode() for name, content in PROJECT.items()})


def _keep(exported: bundle.Bundle) -> None:
    path, manifest = FOLDER / f"{exported.manifest.version}.zip", exported.manifest
    if path.exists():
        sys.stdout.write(f"{path.name} is there already, and stays.\n")
        return
    with path.open("wb") as file:
        writer = bundle.Writer(file)
        for ref in artifacts_of(exported.events):
            writer.artifact(exported.content(ref))
        about = bundle.About.model_validate(manifest.model_dump())
        writer.close(about, AT, _nobodys(exported.events), _nobodys(exported.conversation))
    sys.stdout.write(f"Wrote {path.name}: {path.stat().st_size:,} bytes.\n")


def _nobodys(events: Sequence[Envelope]) -> list[Envelope]:
    return [e.model_copy(update={"data": {**e.data, "worker": "worker"}}) if "worker" in e.data else e for e in events]


if __name__ == "__main__":
    if sys.argv[1:] != ["record"]:
        raise SystemExit(__doc__)
    record()
