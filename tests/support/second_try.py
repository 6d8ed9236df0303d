"""A test that drives whole services is run once more when it fails: named, with its traceback, and few times a run.

Those tests share two cores with browsers and servers, and one hiccup of the machine in four thousand tests would stop
whatever else is delivered with it. What fails twice fails; so does a run in which more than `MOST` needed a second try.
Tests that hunt for rare losses (`tests/faults`, the event kernel's) and those without a server get no second try:
there, once is a finding.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

MOST = 4
_TESTS = Path(__file__).parents[1]
_DRIVE_SERVICES = tuple(_TESTS / name for name in ("integration", "browser", "e2e"))
_HUNT_LOSSES = _TESTS / "integration" / "events"


def allow(items: Iterable[pytest.Item]) -> None:
    """Let each test that drives services be tried twice."""
    for item in items:
        drives = any(item.path.is_relative_to(folder) for folder in _DRIVE_SERVICES)
        if drives and not item.path.is_relative_to(_HUNT_LOSSES):
            item.add_marker(pytest.mark.flaky(reruns=1))


class SecondTries:
    """Counts second tries over all workers, and fails the run where there were too many."""

    def __init__(self) -> None:
        self.tests: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Each report of each worker comes by here."""
        if report.outcome == "rerun":  # type: ignore[comparison-overlap]  # the plugin's own outcome
            self.tests.add(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Too many are no hiccup."""
        if len(self.tests) > MOST:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many there were, and which."""
        if self.tests:
            terminalreporter.section(f"{len(self.tests)} needed a second try, {MOST} may", yellow=True)
            for name in sorted(self.tests):
                terminalreporter.line(name)
