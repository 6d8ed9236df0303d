"""After all tests: no log of the servers and services that they started has a secret in it.

The secrets of a test run are random; what is looked for is their form: keys, tokens and links of ours, session
tokens, those of the hosts and models that tests sign in to, and a login inside an address.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FORMS = re.compile(
    rb"rsk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}|rs[ril]_[A-Za-z0-9_-]{43}|whsec_[A-Za-z0-9+/]{42}"
    rb"|eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"
    rb"|gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}|glpat-[A-Za-z0-9_-]{20}|\bsk-[A-Za-z0-9-]{40,}"
    rb"|https?://[^\s/:@\"'*]+:[^\s/:@\"'*]{8,}@"
)


class SecretsSaid:
    """Fails a run in which a secret was said; looked for once, by the controller of all workers."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Read the logs of all servers and services that tests have started."""
        if hasattr(session.config, "workerinput"):
            return
        self.found = list(in_logs(session.config._tmp_path_factory.getbasetemp()))  # type: ignore[attr-defined]  # pytest's
        if self.found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found where."""
        if self.found:
            terminalreporter.section("secrets were said", red=True)
            for line in self.found:
                terminalreporter.line(line)


def in_logs(folder: Path, name: str = "*.log") -> Iterator[str]:
    """A line for each file below `folder`, named like this, that has a secret."""
    for path in sorted(folder.rglob(name)):
        if path.is_file() and (secret := FORMS.search(path.read_bytes())):
            yield f"{path.relative_to(folder)}: {_shown(secret[0])}"


def _shown(secret: bytes) -> str:
    return f"{secret[:8].decode(errors='replace')}…"
