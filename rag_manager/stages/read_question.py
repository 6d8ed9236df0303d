"""Read out of a question what ranking can use.

In:  the question as it was typed.
Out: its tokens, the names and paths in it, whether tests, examples or documents are asked for, and whether it asks for
     a relation of the graph or gives the text of a message.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from rag_manager.stages.code_tokens import code_tokens, identifiers
from rag_manager.stages.read_message import read_message
from rag_manager.stages.read_relation import Relation, read_relation

MAX_TOKENS = 64  # of one question: enough for a paragraph, bounded for a pasted file
_STATED = 3  # tokens: fewer describe nothing
_TITLE = 300  # characters of a report's first line that are embedded

_WORD = re.compile(r"\w")  # a line without one, a fence or a rule, says nothing
_PATH = re.compile(r"[\w.\-]+(?:/[\w.\-]+)+|[\w\-]+\.[A-Za-z]{1,5}\b")
_LONE_NAME = re.compile(r"^[\s`'\"]*([A-Za-z_$][\w$]*(?:(?:\.|::|#|->)[A-Za-z_$][\w$]*)*)(?:\(\))?[\s`'\"]*$")
_VERSION = re.compile(r"v\d+")
_ASKED = {
    "test": frozenset({"test", "tests", "testing", "tested", "unittest", "pytest", "fixture", "fixtures", "spec"}),
    "example": frozenset({"example", "examples", "sample", "samples", "demo", "tutorial", "benchmark", "benchmarks"}),
    "docs": frozenset(
        {
            *("documentation", "docs", "doc", "readme", "changelog", "install", "installation", "setup", "overview"),
            *("project", "licence", "license", "contribute", "contributing", "tutorial", "guide", "release", "history"),
            *("started", "about"),
        }
    ),
    "compat": frozenset({"legacy", "compat", "compatibility", "deprecated", "vendored", "vendor", "shim"}),
    "types": frozenset(
        {
            *("type", "types", "typing", "typings", "interface", "interfaces", "signature", "signatures"),
            *("declaration", "declarations", "declared"),
        }
    ),
    "config": frozenset(
        {
            *("config", "configuration", "configured", "settings", "setting", "option", "options", "environment"),
            *("dependency", "dependencies", "version", "versions", "package", "packages", "manifest", "license"),
            *("licence", "build", "built", "script", "scripts", "workflow", "workflows", "ci", "docker", "lint"),
            *("deploy", "deployed", "publish", "published", "data", "schema", "yaml", "json", "toml"),
        }
    ),
}
# "how is X tested", "the tests of X", "the test that checks X" ask for tests; "how are failed tests run again" asks
# for what runs them.
_TESTS_MEANT = re.compile(
    r"\btest(?:ed|ing)\b|^tests?\b|\btest_\w|\bunit tests?\b|\btest (?:cases?|suites?|cover\w*|files?|data)\b"
    r"|\b(?:in|by|of|for|with|from) (?:the |its |our |unit |all )*tests?\b"
    r"|\btests? (?:for|of|cover\w*|check\w*|verif\w+|ensure\w*|assert\w*|valid\w+)\b"
    r"|\bthe (?:[\w-]+ ){0,2}tests? (?:that|which|class|method|function|helper|module|itself|rel(?:y|ies)|uses?)\b",
    re.IGNORECASE,
)
_TEST_CLASS = re.compile(r"\bTest[A-Z]\w")


@dataclass(frozen=True)
class Question:
    """`tokens` are unique, in order; `names` lower-case identifiers; `joined` neighbouring words written as one.

    `lone_name` is set where the question is nothing but one name; `report` where it has several lines: an issue,
    with examples and output pasted into it; `statement` where it is one, or ends as a sentence that tells. `asked` are
    the kinds of files that are asked for; of those in `mentioned`, maybe what the program does with such things.
    """

    text: str
    tokens: tuple[str, ...]
    names: tuple[str, ...]
    joined: frozenset[str]
    paths: tuple[str, ...]
    lone_name: str | None
    asked: frozenset[str]
    mentioned: frozenset[str] = frozenset()
    relation: Relation | None = None
    message: str | None = None
    statement: bool = False
    report: bool = False
    meant: tuple[str, ...] = ()  # the texts whose vectors, added up, are the question's


def read_question(text: str) -> Question:
    """Return what `text` asks for. Pure."""
    tokens = tuple(dict.fromkeys(code_tokens(text)))[:MAX_TOKENS]
    lowered = _words(text)
    title, *more = list(filter(_WORD.search, text.splitlines())) or [text]
    lone = _LONE_NAME.match(text)
    relation = read_relation(text)
    named = (*identifiers(text), *((relation.last,) if relation else ()))
    names = tuple(dict.fromkeys(name.strip("_").lower() for name in named))
    return Question(
        text=text,
        tokens=tokens,
        names=names,
        joined=frozenset(a + b for a, b in pairwise(lowered))
        | frozenset(a + b + c for a, b, c in zip(lowered, lowered[1:], lowered[2:], strict=False)),
        paths=tuple(dict.fromkeys(found.strip("./").lower() for found in _PATH.findall(text))),
        lone_name=re.split(r"\.|::|#|->", lone.group(1))[-1].strip("_").lower() if lone else None,
        asked=(asked := _asked(title)),
        mentioned=asked & {"test"} if not _means_tests(title) else frozenset(),
        relation=relation,
        message=None if relation or lone else read_message(text),
        statement=len(tokens) >= _STATED and (bool(more) or text.rstrip().endswith(".")),
        report=bool(more),
        meant=(text, title.strip()[:_TITLE]) if more else (text,),
    )


def _words(text: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", text)]


def _asked(title: str) -> frozenset[str]:
    # Of a report the first line says what it is about: nearly every one has a test or an example somewhere.
    words = _words(title)
    found = {kind for kind, signs in _ASKED.items() if signs.intersection(words)}
    return frozenset(found | ({"compat"} if any(map(_VERSION.fullmatch, words)) else set()))


def _means_tests(title: str) -> bool:
    return _TESTS_MEANT.search(title) is not None or _TEST_CLASS.search(title) is not None
