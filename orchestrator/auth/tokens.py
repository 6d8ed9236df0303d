"""Session tokens: RS256 JWTs of ten minutes that say who somebody is, in which tenant, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from orchestrator.auth.identity import ALL_SCOPES
from runtime.strict_jwt import BadToken, Form

LIFE = 600  # seconds
MAX_LIFE = 900  # the longest that is accepted of anybody who signs
AUDIENCE = "repostream-api"
FORM = Form(
    algorithm="RS256",
    typ="at+jwt",
    claims=frozenset({"sub", "iss", "aud", "exp", "iat", "nbf", "scope", "github_id", "tid", "jti", "sid"}),
    max_life=MAX_LIFE,
    leeway=30,  # between the clocks of two machines
)


class Use(StrEnum):
    """What a signing key is for. A local installation's tokens have a key and an issuer of their own."""

    SESSION = "session"
    LOCAL = "local"


ISSUERS = {Use.SESSION: "repostream", Use.LOCAL: "repostream-local"}


@dataclass(frozen=True)
class Subject:
    """Whom a token is for. `sid` is the session or the family of refresh tokens that it comes from.

    `github_id` is the numeric id at GitHub, None for people of another provider.
    """

    user_id: UUID
    tenant_id: UUID
    scopes: frozenset[str]
    sid: UUID
    github_id: int | None = None


@dataclass(frozen=True)
class Token:
    """What a valid token says. `jti` is its own id, `ends` when it is over (Unix seconds)."""

    subject: Subject
    jti: UUID
    ends: int


def claims_of(subject: Subject, use: Use, *, jti: UUID, now: int, life: int) -> dict[str, object]:
    """The claims of a token for `subject` that is made at `now` and lives for `life` seconds."""
    return {
        "iss": ISSUERS[use],
        "aud": AUDIENCE,
        "sub": str(subject.user_id),
        "tid": str(subject.tenant_id),
        "scope": " ".join(sorted(subject.scopes)),
        "github_id": subject.github_id,
        "sid": str(subject.sid),
        "jti": str(jti),
        "iat": now,
        "nbf": now,
        "exp": now + life,
    }


def token_of(claims: dict[str, object]) -> Token:
    """What claims say whose form, signature, issuer and times were checked. Raises BadToken."""
    github_id = claims["github_id"]
    if github_id is not None and not (type(github_id) is int and 0 < github_id < 2**63):
        raise BadToken("no GitHub id")
    subject = Subject(
        user_id=_id(claims, "sub"),
        tenant_id=_id(claims, "tid"),
        scopes=_scopes(claims["scope"]),
        sid=_id(claims, "sid"),
        github_id=github_id,
    )
    ends = claims["exp"]
    assert isinstance(ends, int)  # noqa: S101  # `strict_jwt` has checked it
    return Token(subject, jti=_id(claims, "jti"), ends=ends)


def _id(claims: dict[str, object], name: str) -> UUID:
    value = claims[name]
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != value:
        raise BadToken(f"{name} is no id")
    return found


def _scopes(text: object) -> frozenset[str]:
    words = text.split(" ") if isinstance(text, str) else []
    if not words or len(set(words)) != len(words) or not ALL_SCOPES.issuperset(words):
        raise BadToken("no scopes of ours")
    return frozenset(words)
