"""What a run of the tests leaves has no secret in it: rows after each test, logs and artifacts after all of them.

The secrets of a test run are random; what is looked for is their form: keys, tokens and links of ours, session
tokens, those of the hosts and models that tests sign in to, and a login inside an address. What is sealed is not
opened: `tests/integration/test_canaries.py` does that.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.canaries import files, tables

# Ours begin where a word does, or behind an escape: what is sealed is random letters, and a few in a row prove nothing.
_BEGINS = rb"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"
FORMS = re.compile(
    _BEGINS + rb"(?:rsk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}|rs[ril]_[A-Za-z0-9_-]{43}|whsec_[A-Za-z0-9+/]{42})"
    rb"|eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"
    rb"|gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}|glpat-[A-Za-z0-9_-]{20}|\bsk-[A-Za-z0-9-]{40,}"
    rb"|https?://[^\s/:@\"'*]+:[^\s/:@\"'*]{8,}@"
)


_HEXADECIMAL = re.compile(rb"\\\\x([0-9a-f]{16,})")  # how PostgreSQL writes bytes
_SAID = ("*.log", "*.parquet")


class SecretsSaid:
    """Fails a run in which a secret was said; looked for once, by the controller of all workers."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Read the logs and artifacts of all servers and services that tests have started."""
        if hasattr(session.config, "workerinput"):
            return
        folder = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # pytest's
        self.found = [line for name in _SAID for line in in_files(folder, name)]
        if self.found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found where."""
        if self.found:
            terminalreporter.section("secrets were said", red=True)
            for line in self.found:
                terminalreporter.line(line)


def in_files(folder: Path, name: str) -> Iterator[str]:
    """A line for each file below `folder`, named like this, that has a secret."""
    for path, content in files(folder, name):
        if secret := FORMS.search(content):
            yield f"{Path(path).relative_to(folder)}: {_shown(secret[0])}"


async def in_tables(database_url: str) -> list[str]:
    """A line for each table with a secret that can be read: events, read models, the audit trail, and the rest."""
    return [
        f"{name}: {_shown(secret[0])}"
        async for name, content in tables(database_url)
        if (secret := FORMS.search(content + b"".join(map(_bytes, _HEXADECIMAL.findall(content)))))
    ]


def _bytes(digits: bytes) -> bytes:
    return b"\n" + bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _shown(secret: bytes) -> str:
    return f"{secret[:8].decode(errors='replace')}…"
