"""Every code that a person can meet stands in docs/errors.md, and every code that stands there exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("runtime", "events", "orchestrator", "processor", "rag_manager", "ai_engine", "cli", "web_ui")
NAMES_A_CODE = {"Permanent": 0, "Transient": 0, "ResourceExhausted": 0, "ApiProblem": 0, "ApiError": 0, "Refused": 0}
NAMES_A_CODE |= {
    "Busy": 0,
    "InputRefused": 0,
    "ParserDied": 0,
    "ToolFault": 0,
    "failed": 1,
    "_problem": 1,
    "local_problem": 0,
    "refusal": 0,
}
# Codes that come about in another way than by one of the calls above, or by `code=`.
ELSEWHERE = {
    **dict.fromkeys(
        (
            "sign_in_expired",
            "sign_in_denied",
            "sign_in_refused",
            "provider_unavailable",
            "not_invited",
            "account_suspended",
        ),
        "said by the address that a sign-in ends at: constants of orchestrator/auth/providers.py",
    ),
    "parked": "said by the read model and the workflow of a run that ended its worker too often",
    "cancelled": "said by the read model of what a person stopped",
    "answer_stopped": "said by the read model of a question that a person stopped",
}


def codes_of(source: str) -> Iterator[str]:
    """The codes that are written in one file. One that is a variable was written somewhere else."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            yield from codes_of_table(node)
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        place = NAMES_A_CODE.get(name)
        given = [node.args[place]] if place is not None and len(node.args) > place else []
        for value in [*given, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]:
            yield from (part.value for part in ast.walk(value) if isinstance(part, ast.Constant) and is_code(part))


def codes_of_table(table: ast.Dict) -> Iterator[str]:
    """The keys of a table of code → (status, title); the value beside a key `code`."""
    for key, value in zip(table.keys, table.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant) and is_code(value):
            yield value.value
        pair = value.elts if isinstance(value, ast.Tuple) else []
        first = pair[0] if len(pair) == 2 else None  # status and title
        if isinstance(key, ast.Constant) and isinstance(first, ast.Constant) and isinstance(first.value, int):
            yield key.value


def is_code(node: ast.Constant) -> bool:
    return isinstance(node.value, str) and re.fullmatch(r"[a-z]+(_[a-z]+)*", node.value) is not None


def written() -> dict[str, str]:
    """Each code in the code, with one file that has it."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {code: str(path.relative_to(ROOT)) for path in files for code in codes_of(path.read_text("utf-8"))}


def documented() -> set[str]:
    """The codes in the first column of the tables."""
    rows = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs" / "errors.md").read_text("utf-8"), re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}


def test_every_code_is_explained() -> None:
    found = written()

    assert {"bad_url", "model_missing", "database_unavailable", "disk_full", "parser_timeout"} <= found.keys()
    assert {code: path for code, path in found.items() if code not in documented()} == {}
    assert ELSEWHERE.keys() <= documented()


def test_every_explained_code_exists() -> None:
    assert documented() - written().keys() - ELSEWHERE.keys() == set()


def test_no_sentence_of_a_failure_promises_another_try() -> None:
    """The same sentence ends the analysis where its tries are over; that one comes is told by the state beside it."""
    packages = ("runtime", "events", "processor", "rag_manager")  # whose failures are those of stages
    calls = [
        (path.name, ast.unparse(node))
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Transient"
    ]

    assert len(calls) > 20
    assert [(path, call) for path, call in calls if "tried again" in call] == []
