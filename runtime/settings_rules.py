"""What the settings must be like. Pure: a rule sees what is set, and says what is wrong without repeating a secret."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from runtime.sealing import Sealer
from runtime.service_tokens import ServiceVerifier, public_key_of


class State(StrEnum):
    """How it is. `ok` and `note` are no fault; the others are told by the exit code."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"
    WRONG = "wrong"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Finding:
    """One setting of one service: how it is, where its value comes from, what to do. Never a secret's value."""

    service: str
    setting: str
    state: State
    source: str
    detail: str


@dataclass(frozen=True)
class Said:
    """What a rule has to say of a setting."""

    setting: str
    state: State
    detail: str


Values = Mapping[str, str]  # by setting, as the environment or a file has it; '' where it is not set
_SCHEMES = {
    "REPOSTREAM_DATABASE_URL": ("postgresql", "postgres"),
    "REPOSTREAM_DATABASE_REQUESTS_URL": ("postgresql", "postgres"),
    "REPOSTREAM_REDIS_URL": ("redis", "rediss", "unix"),
    "REPOSTREAM_CHROMA_URL": ("http", "https"),
}
_NEED_PASSWORDS = ("REPOSTREAM_DATABASE_URL", "REPOSTREAM_DATABASE_REQUESTS_URL", "REPOSTREAM_REDIS_URL")
_RETENTION = {
    "REPOSTREAM_RETENTION_REPOSITORY_DAYS": "a repository that nobody analysed, asked about or looked at",
    "REPOSTREAM_RETENTION_ENDED_DAYS": "a session, key, grant, invitation or sharing link that has been over",
    "REPOSTREAM_RETENTION_ANALYSIS_DAYS": "an analysis that a newer one of its repository replaced",
    "REPOSTREAM_RETENTION_CONVERSATION_DAYS": "a conversation in which nothing was asked",
}
_LEAST = 12  # characters of a password that others can try over a network
_EMBEDDERS = {"openai": "api.openai.com", "voyage": "api.voyageai.com"}
_KEYS = {"openai": "REPOSTREAM_AI_OPENAI_API_KEY", "anthropic": "REPOSTREAM_AI_ANTHROPIC_API_KEY"}


def addresses(values: Values) -> Iterator[Said]:
    """The servers' addresses: their form, and whether a password guards what others can reach."""
    for setting, schemes in _SCHEMES.items():
        if not (url := values.get(setting, "")):
            continue
        parts = _split(url)
        if parts is None or parts.scheme not in schemes or not (parts.hostname or parts.path):
            yield Said(setting, State.WRONG, f"must be an address that begins with {schemes[0]}://")
        elif setting in _NEED_PASSWORDS and not is_loopback_host(parts.hostname or "127.0.0.1"):
            password = parts.password or ""
            if not password:
                yield Said(setting, State.NOTE, "has no password: whoever reaches the server can use it")
            elif len(password) < _LEAST or len(set(password)) < 5:
                yield Said(setting, State.WRONG, f"its password is weak: take {_LEAST} random characters or more")


def keys(values: Values) -> Iterator[Said]:
    """The installation's own keys: their form, and those that only exist together."""
    sealing, service = values.get("REPOSTREAM_SECRET_KEY", ""), values.get("REPOSTREAM_SERVICE_KEY", "")
    public = values.get("REPOSTREAM_SERVICE_PUBLIC_KEYS", "")
    if sealing and not _works(lambda: Sealer(sealing)):
        yield Said("REPOSTREAM_SECRET_KEY", State.WRONG, "must be Fernet keys, separated by commas")
    if not sealing and values.get("REPOSTREAM_DATABASE_URL"):
        yield Said("REPOSTREAM_SECRET_KEY", State.MISSING, "without it no signing key and no token can be stored")
    if service and not _works(lambda: public_key_of(service)):
        yield Said("REPOSTREAM_SERVICE_KEY", State.WRONG, "is no such key: `repostream keys services` makes one")
    if public and not _works(lambda: ServiceVerifier("orchestrator", public)):
        yield Said("REPOSTREAM_SERVICE_PUBLIC_KEYS", State.WRONG, "must be name:key,name:key")
    if service and not public:
        yield Said("REPOSTREAM_SERVICE_PUBLIC_KEYS", State.MISSING, "no other service is known: none can call this one")


def github_app(values: Values) -> Iterator[Said]:
    """The GitHub App: id and key together, and a key that signs."""
    number, key = values.get("REPOSTREAM_GITHUB_APP_ID", ""), values.get("REPOSTREAM_GITHUB_APP_PRIVATE_KEY", "")
    if number and not key:
        yield Said("REPOSTREAM_GITHUB_APP_PRIVATE_KEY", State.MISSING, "the App has an id and no key")
    if key and not number:
        yield Said("REPOSTREAM_GITHUB_APP_ID", State.MISSING, "there is an App's key, and it is not said which App's")
    if key and not _works(lambda: _rsa(key)):
        yield Said("REPOSTREAM_GITHUB_APP_PRIVATE_KEY", State.WRONG, "must be the App's RSA key, as GitHub gives it")
    api = values.get("REPOSTREAM_GITHUB_APP_API_URL", "")
    parts = _split(api) if api else None
    if parts is not None and parts.scheme != "https" and not is_loopback_host(parts.hostname or ""):
        yield Said("REPOSTREAM_GITHUB_APP_API_URL", State.WRONG, "must begin with https://: tokens go there")


def models(values: Values) -> Iterator[Said]:
    """The language models: names that can be read, and a key for each provider that wants one."""
    for name in filter(None, (part.strip() for part in values.get("REPOSTREAM_AI_MODELS", "").split(","))):
        provider, _, model = name.partition(":")
        if provider not in _KEYS or not model:
            yield Said("REPOSTREAM_AI_MODELS", State.WRONG, "names neither openai:<name> nor anthropic:<name>")
            continue
        own_server = provider == "openai" and values.get("REPOSTREAM_AI_OPENAI_BASE_URL")
        if not values.get(_KEYS[provider]) and not own_server:
            yield Said(_KEYS[provider], State.MISSING, f"{name} is offered and has no key")


def embedder(values: Values) -> Iterator[Said]:
    """The model that embeds, and the one of before: whole, with a key, where its address may be, what goes there."""
    yield from _embedder(values, "REPOSTREAM_EMBEDDER", "passages and questions")
    yield from _embedder(values, "REPOSTREAM_FORMER_EMBEDDER", "questions")


def _embedder(values: Values, name: str, what: str) -> Iterator[Said]:
    provider = values.get(name, "") or "local"
    url = values.get(f"{name}_BASE_URL", "")
    if provider not in _EMBEDDERS:
        return
    host = _host(url) if url else _EMBEDDERS[provider]
    if not is_loopback_host(host):
        yield Said(name, State.NOTE, f"{what} leave this machine, for {host}")
    key = values.get(f"{name}_API_KEY", "")
    if not key and not url:
        yield Said(f"{name}_API_KEY", State.MISSING, f"{provider} is asked without a key")
    parts = _split(url) if url else None
    if url and (parts is None or parts.scheme not in {"http", "https"} or not parts.hostname):
        yield Said(f"{name}_BASE_URL", State.WRONG, "must be an address that begins with https://")
    elif parts is not None and parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
        state = State.WRONG if key else State.NOTE
        yield Said(f"{name}_BASE_URL", state, "is not https://: whoever is on the way reads what goes there")
    if values.get("REPOSTREAM_PREFLIGHT_PRICE", "") in {"", "0", "0.0"} and not is_loopback_host(host):
        said = "is 0: what embedding costs is neither estimated nor counted"
        yield Said("REPOSTREAM_PREFLIGHT_PRICE", State.NOTE, said)


def exposure(values: Values) -> Iterator[Said]:
    """What listens where others can reach it, with what guards it."""
    host = values.get("REPOSTREAM_ORCHESTRATOR_HOST", "") or "127.0.0.1"
    if _is_on(values, "REPOSTREAM_LOCAL_SIGN_IN") and not is_loopback_host(host):
        said = "signs everybody in as the local user, and the orchestrator listens where others can reach it"
        yield Said("REPOSTREAM_LOCAL_SIGN_IN", State.WRONG, said)
    if _is_on(values, "REPOSTREAM_INTAKE_LOOPBACK") and not is_loopback_host(host):
        said = "lets everybody who may analyse read from servers of this machine"
        yield Said("REPOSTREAM_INTAKE_LOOPBACK", State.WRONG, said)
    site = _split(values.get("REPOSTREAM_PUBLIC_URL", ""))
    if (
        site is not None
        and site.hostname
        and not is_loopback_host(site.hostname)
        and not values.get("REPOSTREAM_LIMITS_TRUSTED_PROXIES")
    ):
        said = "names no proxy: where one stands before the pages, all people count as its one address"
        yield Said("REPOSTREAM_LIMITS_TRUSTED_PROXIES", State.NOTE, said)
    for name in ("PROCESSOR", "AI_ENGINE", "RAG_MANAGER"):
        setting = f"REPOSTREAM_{name}_HOST"
        if values.get(setting) and not is_loopback_host(values[setting]):
            yield Said(setting, State.NOTE, "is for the other services alone: let a network policy keep others away")


def retention(values: Values) -> Iterator[Said]:
    """What is deleted by itself: nobody shall be surprised by it."""
    for setting, what in _RETENTION.items():
        days = values.get(setting, "")
        if days.isdecimal() and int(days):
            yield Said(setting, State.NOTE, f"{what} for {int(days)} days: it is deleted for good")
    kept = values.get("REPOSTREAM_RETENTION_ANALYSES", "")
    if kept.isdecimal() and int(kept):
        said = f"of each repository the newest {int(kept)} that can be searched: older ones are deleted for good"
        yield Said("REPOSTREAM_RETENTION_ANALYSES", State.NOTE, said)


RULES: tuple[Callable[[Values], Iterator[Said]], ...] = (
    addresses,
    keys,
    github_app,
    models,
    embedder,
    exposure,
    retention,
)


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address is this machine's alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_on(values: Values, setting: str) -> bool:
    return values.get(setting, "").lower() in {"1", "true", "yes", "on"}


def _host(url: str) -> str:
    parts = _split(url)
    return (parts.hostname or "") if parts is not None else ""


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _works(make: Callable[[], object]) -> bool:
    try:
        make()
    except ValueError:
        return False
    return True


def _rsa(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except TypeError as error:  # it has a password
        raise ValueError("encrypted") from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("no RSA key")  # noqa: TRY004  # one kind of refusal
    return key
