from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.client.shapes import AnalysisView
from web_ui import estimates

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TOLD = {"files": 1_204, "bytes": 12_500_000, "seconds": 95.0, "measured": 3, "tokens": 3_571_429}


def an_analysis(state: str, **estimate: Any) -> AnalysisView:
    base: dict[str, Any] = {"analysis_id": "a1", "repository_id": "r1", "url": "u", "name": "n", "version": 1}
    base |= {"stages": [], "requested_at": NOW, "skipped": {"vendored": 8}, "state": state}
    return AnalysisView.model_validate(base | {"estimate": TOLD | estimate})


def test_what_waits_says_why_what_it_takes_and_how_long_it_waits() -> None:
    over = {"over": ["files", "cost"], "until": NOW + timedelta(hours=2), "cost": 10.714, "currency": "USD"}

    assert estimates.waiting_sentence(an_analysis("unconfirmed", **over), NOW) == (
        "This is over a limit of the installation (number of files and cost), so it waits for somebody to let it go "
        "on: 1,204 files; 12.5 MB of text; about 1 min 35 s until it is ready, by 3 earlier analyses here; "
        "about 3,571,429 tokens to embed, 10.71 USD, 8 files left out (listed below). It waits for 2 h 0 min more."
    )
    assert estimates.waiting_sentence(an_analysis("running", **over), NOW) == ""


def test_what_goes_on_says_what_is_expected_and_what_nobody_knows() -> None:
    assert estimates.facts(an_analysis("running", seconds=None, measured=0)) == [
        "1,204 files",
        "12.5 MB of text",
        "time unknown: nothing as large was analysed here yet",
    ]
    assert estimates.facts(an_analysis("ready")) == []


def test_what_an_earlier_analysis_had_is_told_before_time_and_money() -> None:
    assert estimates.facts(an_analysis("running", known_files=1_180, known_bytes=12_250_000))[2] == (
        "1,180 of them as in an earlier analysis (98 % of the text), so it may take less"
    )
