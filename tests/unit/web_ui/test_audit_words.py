"""Entries of the audit trail as the page shows them: whole, short, and as text whatever they hold."""

from datetime import UTC, datetime

from runtime.client.shapes import AuditCheck, AuditView
from web_ui import audit

ID = "0f9d3c1e-7a54-4c7e-9c83-1d2b5a6c7e8f"


def an_entry(**values: object) -> AuditView:
    basic: dict[str, object] = {
        "position": 7,
        "entry_id": ID,
        "at": datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC),
        "action": "analyses.begin",
        "outcome": "allowed",
        "target": f"analyses/{ID}",
        "code": "",
        "proof": "api_key",
        "proof_id": ID,
        "address": "192.0.2.7",
        "agent": "test/1",
        "times": 1,
        "hash": "ab" * 32,
    }
    return AuditView.model_validate(basic | values)


def a_check(**values: object) -> AuditCheck:
    basic: dict[str, object] = {"checked": 3, "first": 1, "last": 5, "hash": "cd" * 32, "broken_at": None, "next": None}
    return AuditCheck.model_validate(basic | values)


def test_a_person_is_called_by_login_else_by_id_else_a_stranger() -> None:
    assert audit.who(an_entry(login="octocat", user_id=ID)) == "octocat"
    assert audit.who(an_entry(user_id=ID)) == "user 0f9d3c1e"
    assert audit.who(an_entry()) == "nobody signed in"


def test_a_line_is_short_and_the_details_are_whole() -> None:
    entry = an_entry(outcome="refused", code="forbidden", status=403, times=12, login="octocat")

    assert audit.target(entry) == "analyses/0f9d3c1e"
    assert audit.outcome(entry) == "refused, 12 times"
    details = dict(audit.details(entry))
    assert details["To"] == f"analyses/{ID}"
    assert details["By"] == f"API key {ID}"
    assert details["Outcome"] == "refused, 12 times forbidden"
    assert details["When (UTC)"] == "2026-11-21 12:30:05.000"
    assert "Correlation id" not in details


def test_what_a_stranger_sent_is_text_and_no_markup() -> None:
    shown = audit.row(an_entry(agent="<script>alert(1)</script>", login="<b>me</b>", action="x\u202ey"), UTC)

    assert "<script>" not in shown
    assert "<b>me" not in shown
    assert "\u202e" not in shown


def test_the_export_asks_for_what_is_looked_for() -> None:
    assert audit.export_address({}) == "/api/v1/audit/export"
    assert audit.export_address({"user": "a&b", "outcome": "failed"}) == (
        "/api/v1/audit/export?user=a%26b&outcome=failed"
    )


def test_the_verdict_says_whole_broken_or_empty() -> None:
    assert audit.verdict([a_check(next=3), a_check(checked=2)])[:2] == ("good", "The trail is whole")
    assert audit.verdict([a_check(next=3), a_check(checked=2)])[2].startswith("5 entries checked, up to number 5.")
    assert audit.verdict([a_check(broken_at=4)])[:2] == ("bad", "The trail is broken")
    assert audit.verdict([a_check(checked=0, last=0)])[1] == "The trail is empty"
