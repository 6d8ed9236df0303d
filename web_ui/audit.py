"""The audit trail as people read it. Pure."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from urllib.parse import urlencode

from runtime.client.shapes import AuditCheck, AuditView
from web_ui import markup
from web_ui.words import count

_TONES = {"allowed": "good", "refused": "warn", "failed": "bad"}
_PROOFS = {"local": "at this machine", "session": "session", "token": "token", "api_key": "API key"}
_UUID_LENGTH, _SHORT = 36, 8


def who(entry: AuditView) -> str:
    """The person's name, or what is known instead."""
    if entry.login:
        return entry.login
    return f"user {entry.user_id[:_SHORT]}" if entry.user_id else "nobody signed in"


def outcome(entry: AuditView) -> str:
    """How it ended, and how often where like entries were counted together."""
    return f"{entry.outcome}, {entry.times} times" if entry.times > 1 else entry.outcome


def target(entry: AuditView) -> str:
    """What it was done to, with ids cut to what tells them apart."""
    parts = entry.target.split("/")
    return "/".join(part[:_SHORT] if len(part) == _UUID_LENGTH and part.count("-") == 4 else part for part in parts)


def details(entry: AuditView) -> list[tuple[str, str]]:
    """All that an entry holds, in words; what it does not hold is left out."""
    proof = " ".join(filter(None, (_PROOFS.get(entry.proof, entry.proof), entry.proof_id)))
    rows = (
        ("When (UTC)", entry.at.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")),
        ("Who", " ".join(filter(None, (entry.login, entry.user_id))) or "nobody signed in"),
        ("Tenant", entry.tenant_id or ""),
        ("By", proof),
        ("Did", entry.action),
        ("To", entry.target),
        ("Outcome", " ".join(filter(None, (outcome(entry), entry.code)))),
        ("HTTP status", str(entry.status) if entry.status is not None else "no answer was sent"),
        ("From", entry.address),
        ("With", entry.agent),
        ("Correlation id", entry.correlation_id or ""),
        ("Entry", f"{entry.position} · {entry.entry_id}"),
        ("Hash", entry.hash),
    )
    return [row for row in rows if row[1]]


def row(entry: AuditView, zone: tzinfo) -> str:
    """One entry: a line, and all of it once that is opened."""
    code = markup.span("code", entry.code) if entry.code else ""
    line = (
        f"<time>{entry.at.astimezone(zone):%Y-%m-%d %H:%M:%S}</time>",
        f"<b>{markup.text(who(entry))}</b>",
        f"<span>{markup.text(entry.action)} {markup.span('muted', target(entry))}</span>",
        f"<span>{markup.pill(outcome(entry), _TONES.get(entry.outcome, 'calm'))} {code}</span>",
    )
    return f"<details><summary>{''.join(line)}</summary>{markup.definitions(details(entry))}</details>"


def entries(shown: Iterable[AuditView], zone: tzinfo) -> str:
    """Entries below one another."""
    return f'<div class="rs-audit">{"".join(row(entry, zone) for entry in shown)}</div>'


def export_address(search: Mapping[str, str]) -> str:
    """Where all entries that fit `search` are a file."""
    query = urlencode(search)
    return "/api/v1/audit/export" + (f"?{query}" if query else "")


def verdict(checks: Iterable[AuditCheck]) -> tuple[str, str, str]:
    """What came of checking the whole trail, piece by piece: a tone, a title and a sentence."""
    pieces = list(checks)
    checked, last = sum(piece.checked for piece in pieces), pieces[-1]
    if last.broken_at is not None:
        told = f"Entry {last.broken_at} does not fit what stands before it: it was changed, or one before it is gone."
        return "bad", "The trail is broken", told
    if last.last < last.first:
        return "", "The trail is empty", "Nothing has been recorded yet."
    told = f"{count(checked, 'entry', 'entries')} checked, up to number {last.last}. Hash of the last: {last.hash}"
    return "good", "The trail is whole", told
