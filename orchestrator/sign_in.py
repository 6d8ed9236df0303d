"""Put together how people come in: the part of `app.py` that is about accounts, with the settings that it reads."""

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from events.log.wake import Wake
from orchestrator.auth.accounts import Accounts
from orchestrator.auth.api_keys import ApiKeys
from orchestrator.auth.facts import Facts
from orchestrator.auth.github import GitHub
from orchestrator.auth.identity import is_loopback
from orchestrator.auth.invitations import Invitations
from orchestrator.auth.issuers import Issuers
from orchestrator.auth.issuing import SessionTokens
from orchestrator.auth.local_mode import Exposure, settle
from orchestrator.auth.members import Members
from orchestrator.auth.old_grants import sweep as sweep_grants
from orchestrator.auth.openid import OpenId
from orchestrator.auth.people import People
from orchestrator.auth.providers import Invited, Provider
from orchestrator.auth.refresh import RefreshTokens
from orchestrator.auth.revocations import Revocations
from orchestrator.auth.sessions import Sessions
from orchestrator.auth.shares import Shares, SharingLinks
from orchestrator.auth.sign_in import SignIn
from orchestrator.auth.sign_in_tokens import SignInTokens
from orchestrator.auth.signing_keys import KeyTimes, SigningKeys
from orchestrator.auth.standing import Standings
from orchestrator.auth.teams import Teams
from orchestrator.auth.tenants import Tenants
from orchestrator.auth.tokens import Use
from orchestrator.settings import (
    GithubAppSettings,
    PageSettings,
    ServiceSettings,
)
from orchestrator.sign_in_settings import GitHubSettings, OpenIdSettings, PeopleSettings, SignInSettings
from runtime.sealing import Sealer
from runtime.service_tokens import ServiceVerifier
from runtime.settings import SecretSettings, ServiceKeySettings

Part = Callable[[], Awaitable[None]]
NAME = "orchestrator"  # the audience of service tokens


def signs_in_locally(service: ServiceSettings) -> bool:
    """Whether this is a laptop's own installation. Raises SystemExit where the settings let in nobody, or too many."""
    pages = PageSettings()
    found = Exposure(
        providers=[provider.name for provider in create_providers()],
        binds=(service.host, pages.host),
        names=service.host_names | pages.host_names,
        origins=service.origins,
        in_cluster="KUBERNETES_SERVICE_HOST" in os.environ,
    )
    local = settle(flag=SignInSettings().local_sign_in, found=found)
    _keys()  # what is wrong with them is said before anything begins
    return local


def create_accounts(engine: AsyncEngine, quick_redis: Redis, *, local: bool) -> Accounts:
    """All that makes, reads and ends credentials, over the engine of requests."""
    sealer, callers = _keys()
    times = KeyTimes(every=SignInSettings().keys_rotate_days * 86_400)
    signing_keys = SigningKeys(engine, sealer, Use.LOCAL if local else Use.SESSION, times)
    standings = Standings(engine)
    return Accounts(
        engine=engine,
        tokens=SessionTokens(signing_keys, standings, Revocations(engine, quick_redis)),
        standings=standings,
        keys=ApiKeys(engine),
        refresh=RefreshTokens(engine),
        links=SharingLinks(engine),
        sessions=None if local else _sessions(engine),
        callers=callers,
    )


def _keys() -> tuple[Sealer, ServiceVerifier]:
    try:
        return Sealer(SecretSettings().key.get_secret_value()), ServiceVerifier(NAME, ServiceKeySettings().public_keys)
    except ValueError as error:
        raise SystemExit(str(error)) from None


def create_providers() -> tuple[Provider, ...]:
    """Whom people can sign in with, as it is configured. Raises SystemExit where half of a provider is."""
    github, openid = GitHubSettings(), OpenIdSettings()
    found: list[Provider] = []
    if github.client_id:
        secret = _given("REPOSTREAM_GITHUB_CLIENT_SECRET", github.client_secret.get_secret_value())
        invited = Invited(github.user_names, github.organisation_names)
        url, keeps = _safe("REPOSTREAM_GITHUB_URL", github.url), bool(GithubAppSettings().id)
        found.append(GitHub(url, github.client_id, secret, invited, keeps_tokens=keeps))
    if openid.issuer:
        client = _given("REPOSTREAM_OIDC_CLIENT_ID", openid.client_id)
        secret = _given("REPOSTREAM_OIDC_CLIENT_SECRET", openid.client_secret.get_secret_value())
        _safe("REPOSTREAM_OIDC_ISSUER", openid.issuer)
        found.append(OpenId(openid.issuer, client, secret, openid.label, Invited(openid.subjects)))
    return tuple(found)


def create_sign_in(accounts: Accounts, wake: Wake, clock: Callable[[], datetime]) -> SignIn | None:
    """A person's way in; None in local mode. Raises SystemExit where the pages' address is missing."""
    if accounts.sessions is None:
        return None
    settings = PeopleSettings()
    url = _given("REPOSTREAM_PUBLIC_URL", settings.public_url)
    providers = create_providers()
    tokens = _sign_in_tokens(accounts.engine, providers)
    people = People(accounts.engine, accounts.sessions, wake, settings.administrator_names, clock, tokens)
    return SignIn(
        providers=providers,
        public_url=_safe("REPOSTREAM_PUBLIC_URL", url),
        people=people,
        issuers=Issuers(accounts.engine, providers),
        sessions=accounts.sessions,
        sealer=_keys()[0],
        clock=clock,
        ended=accounts.tokens.revocations.tell,
        tokens=tokens,
    )


def _sign_in_tokens(engine: AsyncEngine, providers: Sequence[Provider]) -> SignInTokens | None:
    """What keeps people's own GitHub tokens; None where no GitHub App is configured that needs them."""
    github = next((provider for provider in providers if isinstance(provider, GitHub)), None)
    if github is None or not GithubAppSettings().id:
        return None
    return SignInTokens(engine, _keys()[0], urlsplit(GitHubSettings().url).netloc.lower(), github.renew)


def create_teams(accounts: Accounts, wake: Wake, clock: Callable[[], datetime]) -> Teams:
    """Tenants that several people work in, and the links that lead into them."""
    engine, revocations = accounts.engine, accounts.tokens.revocations
    facts = Facts(engine, wake, clock)
    return Teams(
        tenants=Tenants(engine, facts, revocations),
        members=Members(engine, facts, accounts.standings, accounts.keys, revocations),
        invitations=Invitations(engine, facts),
        shares=Shares(facts, accounts.links),
        public_url="" if accounts.sessions is None else PeopleSettings().public_url.rstrip("/"),
    )


def account_parts(engine: AsyncEngine, accounts: Accounts, sign_in: SignIn | None) -> dict[str, Part]:
    """What a process does for accounts as long as it lives, by its name; `engine` is that of the background."""
    tokens = accounts.tokens
    parts: dict[str, Part] = {
        "keys": tokens.keys.run,
        "revocations": tokens.revocations.run,
        "old grants": lambda: sweep_grants(engine),
    }
    return parts if sign_in is None else parts | {"issuers": sign_in.issuers.run}


def _sessions(engine: AsyncEngine) -> Sessions:
    settings = PeopleSettings()
    life, idle = timedelta(days=settings.session_days), timedelta(hours=settings.session_idle_hours)
    return Sessions(engine, life=life, idle=idle)


def _given(name: str, value: str) -> str:
    if not value:
        raise SystemExit(f"A sign-in is configured, and {name} is not: set it too.")
    return value


def _safe(name: str, url: str) -> str:
    """An address that secrets may be sent to. Raises SystemExit for http that leaves this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return url.rstrip("/")
    raise SystemExit(f"{name} must be an https address (http on this machine alone).")
