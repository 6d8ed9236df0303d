"""Rules about secrets and hostile input that no general linter knows."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from ai_engine import settings as ai_engine_settings
from cli import services as cli_services
from cli.config_check import classes
from orchestrator import settings as orchestrator_settings
from orchestrator import sign_in_settings
from processor import settings as processor_settings
from rag_manager import settings as rag_manager_settings
from runtime import settings as runtime_settings
from runtime.secret_files import Settings
from web_ui import settings as web_ui_settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("ai_engine", "cli", "events", "migrations", "orchestrator", "processor", "rag_manager", "runtime", "web_ui")
SETTINGS = (
    ai_engine_settings,
    cli_services,
    orchestrator_settings,
    processor_settings,
    rag_manager_settings,
    runtime_settings,
    sign_in_settings,
    web_ui_settings,
)
# Whole secrets as their issuers make them: a test that needs one puts it together from parts.
ISSUED = re.compile(
    rb"gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}|glpat-[A-Za-z0-9_\-]{20}|sk-ant-[A-Za-z0-9_\-]{40,}"
    rb"|sk-(?:proj-)?[A-Za-z0-9]{40,}|AKIA[0-9A-Z]{16}|AIza[A-Za-z0-9_\-]{35}|xox[abp]-[0-9]{10,}-[0-9A-Za-z\-]{10,}"
    rb"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{200,}"
)
NAMES_A_SECRET = re.compile(r"(?:^|_)(?:password|secret|token|private_key|api_key)$")
NO_SECRETS: dict[str, str] = {}
# What runs, unpacks or reads what a stranger sent in a way that the stranger could abuse.
FORBIDDEN_CALLS = {
    "extract": "an archive's names and links choose where it writes: read its members one by one",
    "extractall": "the same",
    "unpack_archive": "the same",
    "system": "a shell reads its argument",
    "popen": "the same",
    "unsafe_load": "runs what it is given",
}
FORBIDDEN_BUILTINS = {"eval": "runs what it is given", "exec": "the same"}
FORBIDDEN_MODULES = {
    "pickle": "runs what it is given",
    "shelve": "a pickle",
    "marshal": "crashes on what it is given",
    "xml": "expands entities without an end",
    "telnetlib": "sends passwords in the clear",
    "ftplib": "the same",
}


REASONED = {
    ("processor/manifests/xml.py", "xml.parsers"): "ends at the first document type, so that there are no entities"
}


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [path for name in listed.split(b"\0") if name and (path := ROOT / name.decode()).is_file()]


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def settings_classes() -> list[type[BaseSettings]]:
    return [
        value
        for module in SETTINGS
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__
    ]


def is_forbidden(node: ast.AST) -> bool:
    """Whether it is one of those calls; Redis has an `eval` of its own, which is no built-in."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in FORBIDDEN_CALLS.keys() | FORBIDDEN_BUILTINS.keys()
    return isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_CALLS


def test_no_secret_is_committed() -> None:
    found = {
        str(path.relative_to(ROOT)): match[0][:12]
        for path in committed()
        if (match := ISSUED.search(path.read_bytes())) is not None
    }

    assert found == {}


@pytest.mark.parametrize(
    "secret", [b"gh" + b"p_" + b"a1B2" * 9, b"AKI" + b"A" + b"ABCD" * 4, b"sk-" + b"ant-" + b"abcd" * 12]
)
def test_a_committed_secret_would_be_found(secret: bytes) -> None:
    assert ISSUED.search(b'key = "' + secret + b'"') is not None


def test_nothing_that_a_stranger_sends_is_run_or_unpacked() -> None:
    found = [(path, ast.unparse(node)) for path, tree in sources() for node in ast.walk(tree) if is_forbidden(node)]
    imported = [
        (path, alias)
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*(name.name for name in node.names if isinstance(node, ast.Import)), getattr(node, "module", "")]
        if alias and alias.partition(".")[0] in FORBIDDEN_MODULES
    ]

    assert found == []
    assert set(imported) - REASONED.keys() == set()


def test_every_setting_that_is_called_a_secret_is_kept_as_one() -> None:
    classes = settings_classes()
    plain = {
        f"{cls.__module__}.{cls.__name__}.{name}"
        for cls in classes
        for name, field in cls.model_fields.items()
        if NAMES_A_SECRET.search(name) and field.annotation is not SecretStr
    }

    assert len(classes) > 12
    assert plain - NO_SECRETS.keys() == set()


def test_config_check_knows_every_settings_class() -> None:
    declared = {
        (path.removesuffix(".py").replace("/", "."), node.name)
        for path, tree in sources()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Settings") for base in node.bases)
    }
    known = {(cls.__module__, cls.__name__) for _, cls in classes()}

    assert ("orchestrator.sign_in_settings", "GitHubSettings") in known
    assert declared - known == {("runtime.secret_files", "Settings"), ("cli.services", "_AddressSettings")}


def test_every_settings_class_reads_secrets_by_the_one_reader() -> None:
    assert [cls.__qualname__ for cls in settings_classes() if not issubclass(cls, Settings)] == []
