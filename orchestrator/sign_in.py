"""Put together how people come in: the part of `app.py` that is about accounts, with the settings that it reads."""

import os

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.accounts import Accounts
from orchestrator.auth.api_keys import ApiKeys
from orchestrator.auth.issuing import SessionTokens
from orchestrator.auth.local_mode import Exposure, settle
from orchestrator.auth.refresh import RefreshTokens
from orchestrator.auth.revocations import Revocations
from orchestrator.auth.sessions import Sessions
from orchestrator.auth.signing_keys import KeyTimes, SigningKeys
from orchestrator.auth.standing import Standings
from orchestrator.auth.tokens import Use
from orchestrator.settings import PageSettings, ServiceSettings, SignInSettings
from runtime.sealing import Sealer
from runtime.service_tokens import ServiceVerifier
from runtime.settings import SecretSettings, ServiceKeySettings

NAME = "orchestrator"  # the audience of service tokens


def signs_in_locally(service: ServiceSettings) -> bool:
    """Whether this is a laptop's own installation. Raises SystemExit where the settings let in nobody, or too many."""
    pages = PageSettings()
    found = Exposure(
        providers=(),
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
        sessions=None if local else Sessions(engine),
        callers=callers,
    )


def _keys() -> tuple[Sealer, ServiceVerifier]:
    try:
        return Sealer(SecretSettings().key.get_secret_value()), ServiceVerifier(NAME, ServiceKeySettings().public_keys)
    except ValueError as error:
        raise SystemExit(str(error)) from None
