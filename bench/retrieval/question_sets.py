"""Questions with known answers: which files, and where known which lines, a good search brings up."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

_FILE = re.compile(r"[\w./\-]*\w\.(?:py|pyi|toml|cfg|md|rst)\b")
_SPAN = re.compile(r"(?:(?:lines?|L)\s*(\d+)(?:\s*(?:-|\u2013|to|and)\s*L?(\d+))?|:(\d+)(?:-(\d+))?)")
_SPAN_BEFORE = re.compile(_SPAN.pattern + r"(?=\)?,? (?:in|of) `?$)")
_EVERYDAY = Path(__file__).with_name("everyday.json")
_REACH = 80  # characters between a file's name and the lines that are meant to be its

SWE_QA = {
    "flask": ("pallets+flask", "85c5d93"),
    "requests": ("psf+requests", "46e939b"),
    "pytest": ("pytest-dev+pytest", "5989efe"),
    "pylint": ("pylint-dev+pylint", "44740e5"),
}


@dataclass(frozen=True)
class Asked:
    """One question. `spans` are (path, first line, last line)."""

    text: str
    files: frozenset[str]
    spans: tuple[tuple[str, int, int], ...] = ()
    category: str = ""


@dataclass(frozen=True)
class QuestionSet:
    """The questions on one repository at one revision; only what is under `root` counts as the repository."""

    name: str
    mirror: str
    revision: str
    root: str
    questions: tuple[Asked, ...]


@dataclass(frozen=True)
class Task:
    """One question that is asked of a tree of its own. `name`: of the commit, of an instance of a public set."""

    name: str
    repository: str
    git_dir: Path
    revision: str
    asked: Asked

    @property
    def key(self) -> str:
        """A digest of what is asked of what, and of what is right."""
        told = [self.repository, self.revision, self.asked.text, sorted(self.asked.files)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def semble_sets(folder: Path) -> list[QuestionSet]:
    """The semble project's questions; relevant and secondary files count alike, as in its own figures."""
    sets = []
    for repository in json.loads((folder / "repositories.json").read_text()):
        owner, name = repository["url"].removesuffix(".git").split("/")[-2:]
        questions = tuple(
            Asked(item["query"], _paths(item["relevant"] + item["secondary"]), category=item["category"])
            for item in json.loads((folder / f"{repository['name']}.json").read_text())
        )
        root = repository.get("benchmark_root", "")
        sets.append(QuestionSet(repository["name"], f"{owner}+{name}", repository["revision"], root, questions))
    return sets


def everyday_sets(*, held_out: bool) -> list[QuestionSet]:
    """What people ask of a repository that they do not know yet, written down by us with the files that answer it.

    Of those held out nothing was looked at while the ranking was worked on.
    """
    return [
        QuestionSet(
            each["repository"].split("/")[-1],
            each["repository"].replace("/", "+"),
            each["revision"],
            "",
            tuple(Asked(item["query"], frozenset(item["files"])) for item in each["questions"]),
        )
        for each in json.loads(_EVERYDAY.read_text())
        if each.get("held_out", False) == held_out
    ]


def _paths(named: list[str | dict[str, str]]) -> frozenset[str]:
    return frozenset(item if isinstance(item, str) else item["path"] for item in named)


def swe_qa_set(folder: Path, name: str, paths: frozenset[str]) -> QuestionSet:
    """SWE-QA's questions on one repository, with the files and lines that the reference answers cite.

    A question whose answer cites no file of the repository (`paths`) is left out.
    """
    mirror, revision = SWE_QA[name]
    questions = []
    for line in (folder / f"{name}.jsonl").read_text().splitlines():
        item = json.loads(line)
        files, spans = cited(item["answer"], paths)
        if files:
            questions.append(Asked(item["question"], files, spans))
    return QuestionSet(name, mirror, revision, "", tuple(questions))


def cited(answer: str, paths: frozenset[str]) -> tuple[frozenset[str], tuple[tuple[str, int, int], ...]]:
    """The files of `paths` that an answer names, and the lines it gives close behind (or before) a name."""
    files: set[str] = set()
    spans: list[tuple[str, int, int]] = []
    for match in _FILE.finditer(answer):
        path = _resolve(match.group().removeprefix("./"), paths)
        if path is None:
            continue
        files.add(path)
        after = answer[match.end() : match.end() + _REACH].partition("\n")[0]
        found = _SPAN.search(after)
        if found is None or _FILE.search(after[: found.start()]):
            before = answer[max(0, match.start() - _REACH) : match.start()].rpartition("\n")[2]
            found = next(iter(_SPAN_BEFORE.finditer(before)), None)
        if found is not None:
            first, last = int(found[1] or found[3]), int(found[2] or found[4] or found[1] or found[3])
            spans.append((path, first, max(first, last)))
    return frozenset(files), tuple(spans)


def _resolve(name: str, paths: frozenset[str]) -> str | None:
    if name in paths:
        return name
    ending = [path for path in paths if path.endswith("/" + name)]
    return ending[0] if len(ending) == 1 else None
