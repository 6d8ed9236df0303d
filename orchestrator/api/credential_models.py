"""The shapes of requests and replies about credentials: session tokens, refresh tokens, API keys, tokens of hosts."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from orchestrator.api.strict import Body


class TokenView(BaseModel):
    """A session token (JWT), to be sent as `Authorization: Bearer …`, and how many seconds it lives."""

    access_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # a word, no secret


class TokenPair(TokenView):
    """A session token, and the refresh token that is good once for the next pair."""

    refresh_token: str


class SessionTrade(Body):
    """The secret of a browser's session."""

    session: str = Field(max_length=256)


class RefreshRequest(Body):
    """A refresh token."""

    refresh_token: str = Field(max_length=256)


class RevokeRequest(RefreshRequest):
    """The refresh token that is to end."""


Scope = Literal["read:repositories", "write:analysis", "ask:questions", "read:events", "admin"]


class ApiKeyRequest(Body):
    """What the key is called, what it may do, and for how long."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    scopes: list[Scope] = Field(min_length=1, max_length=5)
    expires_in_days: int = Field(default=90, ge=1, le=366)


class ApiKeyView(BaseModel):
    """An API key without its secret. `prefix` is how it begins; `used_at` is kept to the minute."""

    key_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyPage(BaseModel):
    """A page of API keys."""

    items: list[ApiKeyView]
    next: str | None = None


class ApiKeyMade(ApiKeyView):
    """A new API key with its secret, which is shown this once."""

    secret: str


class GrantRequest(Body):
    """What a program that acts for you may do."""

    scopes: list[Scope] = Field(min_length=1, max_length=5)


class GrantView(BaseModel):
    """A program that acts for you by refresh tokens. `used_at` is when it last got one."""

    grant_id: UUID
    scopes: list[str]
    began_at: datetime
    used_at: datetime
    expires_at: datetime


class GrantPage(BaseModel):
    """A page of programs that act for you."""

    items: list[GrantView]
    next: str | None = None


class RotationView(BaseModel):
    """The next key that signs session tokens, and from when on it does."""

    kid: str
    signs_from: datetime


class CredentialRequest(Body):
    """Keep a token for the private repositories of a host. `name` is for you to know it by."""

    host: str = Field(max_length=255)
    name: str = Field(default="", max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
    token: SecretStr


class CredentialView(BaseModel):
    """A kept token, without its value. `used_at` is when a clone last used it."""

    credential_id: UUID
    host: str
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
