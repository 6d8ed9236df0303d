"""The linter's security rules are on, for every package, and every exception is for one line."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUFF = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]
LEFT_OUT = {"tests/**", "bench/**"}


def test_the_security_rules_are_on_for_every_package() -> None:
    rules = RUFF["lint"]

    assert "S" in rules["select"]
    assert [rule for rule in rules["ignore"] if rule.startswith("S") and rule[1:2].isdigit()] == []
    whole = {where for where, ignored in rules["per-file-ignores"].items() if "S" in ignored}
    assert whole == LEFT_OUT
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert {"orchestrator", "runtime", "web_ui", "cli", "events", "processor"} <= packages
    excluded = [*RUFF.get("exclude", []), *RUFF.get("extend-exclude", [])]
    assert [where for where in excluded if where.split("/")[0] in packages] == []


def test_no_exception_is_for_all_security_rules_of_a_line() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in ROOT.glob("*/__init__.py")
        for path in package.parent.rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if "noqa" in line and line.rstrip().endswith(("# noqa", "noqa: S"))
    ]

    assert found == []
