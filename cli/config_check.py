"""`repostream config check`: what is set for each service, from where, and what is missing, wrong or unreachable."""

import asyncio
import difflib
import importlib
import json
import os
import pkgutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
from pydantic import SecretStr, ValidationError
from pydantic_settings.exceptions import SettingsError

from cli.api import KeySettings
from cli.config_rules import RULES, Finding, Said, State
from cli.exits import FAILED, OK, UNREACHABLE
from cli.repository_token import TokenSettings
from cli.screen import Screen
from cli.services import SERVICES
from runtime.redaction import redact
from runtime.secret_files import FOLDER, Kind, Settings, names_of, origin_of, secrets_of
from runtime.settings import BrokerSettings, ChromaSettings, DatabaseSettings

_SHARED, _ALL = "runtime", "all services"
_SECONDS = 5.0  # for one server to answer
_STYLES = {State.OK: "green", State.NOTE: "yellow"}
_MARKS = {State.OK: "✓", State.NOTE: "·"}
_BAD = {State.MISSING, State.WRONG}
_ADDRESSES = {f"REPOSTREAM_{name.upper()}_{what}" for name in SERVICES for what in ("HOST", "PORT", "HELD")}
_OTHER = {FOLDER, "REPOSTREAM_CRASH_AT", *_ADDRESSES}  # settings that are no field of a class in a settings module


def run_check(*, as_json: bool) -> int:
    """The command. 0: nothing is wrong; 1: something is missing or wrong; 3: a server that is set does not answer."""
    findings = [*_settings(), *_strangers(), *asyncio.run(_servers())]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        _print(findings)
    states = {finding.state for finding in findings}
    if states & _BAD:
        return FAILED
    return UNREACHABLE if State.UNREACHABLE in states else OK


def classes() -> list[tuple[str, type[Settings]]]:
    """Every settings class with the service that reads it."""
    found = [(_ALL, cls) for cls in _classes_of(_SHARED)]
    for package in SERVICES:
        found += [(package, cls) for cls in _classes_of(package)]
    return [*found, ("cli", TokenSettings), ("cli", KeySettings)]


def _classes_of(package: str) -> Iterator[type[Settings]]:
    """The classes of the modules whose names say that they hold settings: `settings`, `sign_in_settings` …"""
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if info.name == "settings" or info.name.endswith("_settings"):
            module = importlib.import_module(f"{package}.{info.name}")
            classes = (value for value in vars(module).values() if isinstance(value, type))
            yield from (cls for cls in classes if issubclass(cls, Settings) and cls.__module__ == module.__name__)


def _settings() -> Iterator[Finding]:
    """What is set, class by class, and what the rules say of it."""
    values: dict[str, str] = {name: value for name, value in os.environ.items() if name.startswith("REPOSTREAM_")}
    sources: dict[str, str] = {}
    services: dict[str, str] = {}
    broken: list[Finding] = []
    for service, cls in classes():
        try:
            made = cls()
        except (SettingsError, ValidationError) as error:
            broken.append(_broken(service, cls, error))
            made = None
        for field in cls.model_fields:
            setting = names_of(cls, field)[0]
            services.setdefault(setting, service)
            sources.setdefault(setting, _source(cls, field))
            if made is not None and sources[setting]:
                values[setting] = _text(getattr(made, field))
    said = {(item.setting, item.detail): item for rule in RULES for item in rule(values)}
    complained = {item.setting for item in said.values()}
    yield from broken
    for setting, source in sources.items():
        if source and setting not in complained:
            yield Finding(services[setting], setting, State.OK, source, "set")
    for item in said.values():
        yield _finding(item, services, sources)


def _finding(item: Said, services: dict[str, str], sources: dict[str, str]) -> Finding:
    source = sources.get(item.setting) or ("environment" if os.environ.get(item.setting) else "not set")
    return Finding(services.get(item.setting, _ALL), item.setting, item.state, source, item.detail)


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _source(cls: type[Settings], field: str) -> str:
    """Where a value comes from, for people; empty where it is the default."""
    if field in secrets_of(cls):
        origin = origin_of(cls, field)
        if origin.kind is Kind.UNSET:
            return ""
        return f"{origin.path} ({origin.name})" if origin.path is not None else origin.name
    return next((name for name in names_of(cls, field) if os.environ.get(name)), "")


def _broken(service: str, cls: type[Settings], error: SettingsError | ValidationError) -> Finding:
    """A class that cannot be read. pydantic's own words repeat the value, so only the place and the kind are said."""
    if isinstance(error, ValidationError):
        places = {str(item["loc"][0]): item["msg"] for item in error.errors(include_input=False) if item["loc"]}
        names = [names_of(cls, place)[0] if place in cls.model_fields else place for place in places]
        return Finding(service, ", ".join(names), State.WRONG, "environment", redact("; ".join(places.values())))
    name, _, detail = str(error).partition(": ")
    return Finding(service, name, State.WRONG, name, redact(detail))


def _strangers() -> Iterator[Finding]:
    """Variables and files that nothing reads, and those that say the same thing twice."""
    every = [(cls, field) for _, cls in classes() for field in cls.model_fields]
    known = {name for cls, field in every for name in names_of(cls, field)} | _OTHER
    secret = {name for cls, field in every if field in secrets_of(cls) for name in names_of(cls, field)}
    for name in sorted(os.environ):
        base = name.removesuffix("_FILE")
        if name.startswith("REPOSTREAM_") and name not in known and not (base != name and base in secret):
            near = difflib.get_close_matches(base if base in known else name, known, 1, 0.8)
            hint = f"is it {near[0]}?" if near and base not in known else "only secrets are read from files"
            detail = f"no service reads it; {hint}" if near else "no service reads it"
            yield Finding(_ALL, name, State.NOTE, "environment", detail)
        if name in secret and os.environ[name] and os.environ.get(f"{name}_FILE"):
            detail = f"{name}_FILE is set too: the variable wins; unset one of them"
            yield Finding(_ALL, name, State.WRONG, "environment", detail)
    folder = os.environ.get(FOLDER)
    if folder and not Path(folder).is_dir():
        yield Finding(_ALL, FOLDER, State.WRONG, "environment", "names no folder")
    elif folder:
        for path in sorted(Path(folder).iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.name.upper() not in secret:
                yield Finding(_ALL, path.name, State.NOTE, str(path), "no secret is called like this file")


async def _servers() -> list[Finding]:
    """Ask each server that is set whether it is there. One that is not set is the embedded one."""
    tries: list[tuple[str, str, Callable[[str], Awaitable[None]]]] = []
    for cls, field, ask in (
        (DatabaseSettings, "url", _ask_database),
        (DatabaseSettings, "requests_url", _ask_database),
        (BrokerSettings, "url", _ask_redis),
        (ChromaSettings, "url", _ask_chroma),
    ):
        try:
            url = getattr(cls(), field).get_secret_value()
        except (SettingsError, ValidationError):
            continue  # told already
        if url:
            tries.append((names_of(cls, field)[0], url, ask))
    return list(await asyncio.gather(*(_try(*item) for item in tries)))


async def _try(setting: str, url: str, ask: Callable[[str], Awaitable[None]]) -> Finding:
    try:
        async with asyncio.timeout(_SECONDS):
            await ask(url)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is why the server cannot be used
        why = redact(f"{type(error).__name__}: {error}".replace(url, "[redacted]"))[:200]
        return Finding("server", setting, State.UNREACHABLE, setting, f"does not answer: {why}")
    return Finding("server", setting, State.OK, setting, "answers")


async def _ask_database(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=_SECONDS)
    try:
        await connection.execute("SELECT 1")
    finally:
        await connection.close(timeout=1)


async def _ask_redis(url: str) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(url, socket_connect_timeout=_SECONDS) as client:
        await client.ping()


async def _ask_chroma(url: str) -> None:
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
        (await client.get(f"{url.rstrip('/')}/api/v2/heartbeat")).raise_for_status()


def _print(findings: list[Finding]) -> None:
    console = Screen()
    for service in dict.fromkeys(finding.service for finding in findings):
        console.say(service, style="bold")
        for finding in (finding for finding in findings if finding.service == service):
            mark, style = _MARKS.get(finding.state, "✗"), _STYLES.get(finding.state, "red")
            console.say(f"  {mark} ", style=style, end="")
            elsewhere = finding.state is State.OK and finding.source != finding.setting
            line = f"{finding.setting}: {finding.detail}{f' (from {finding.source})' if elsewhere else ''}"
            console.say(line)
    counts = Counter(finding.state for finding in findings)
    if not counts:
        console.say("Nothing is set: everything runs embedded, on this machine alone.")
    elif not counts.keys() - {State.OK, State.NOTE}:
        console.say("Nothing is wrong.", style="green")
