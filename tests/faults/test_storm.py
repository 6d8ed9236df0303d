"""One short storm, and the control that shows that it bites. `make storm SEEDS=…` runs many long ones."""

from pathlib import Path

import pytest

from tests.faults.storm import KINDS, Weather, run_storm


@pytest.mark.timeout(280)
async def test_in_a_storm_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    report = await run_storm(tmp_path, Weather(seed=7, seconds=12.0, events=900, interval=1.2, patience=60.0))

    assert all(report.faults[kind] >= 1 for kind in KINDS), str(report)
    assert (report.lost, report.doubled, report.findings) == (0, 0, []), str(report)
    assert report.effects > 1_500


@pytest.mark.timeout(280)
async def test_the_same_storm_ruins_a_worker_with_the_defaults(tmp_path: Path) -> None:
    weather = Weather(seed=7, seconds=12.0, events=900, interval=1.2, patience=6.0, is_naive=True)

    report = await run_storm(tmp_path, weather)

    assert all(report.faults[kind] >= 1 for kind in KINDS), str(report)
    assert report.bites, str(report)
