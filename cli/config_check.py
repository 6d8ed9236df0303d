"""`repostream config check`: what is set for each service, from where, and what is missing, wrong or unreachable."""

import asyncio
import difflib
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
from pydantic import ValidationError
from pydantic_settings.exceptions import SettingsError

from cli.api import KeySettings
from cli.exits import FAILED, OK, UNREACHABLE
from cli.repository_token import TokenSettings
from cli.screen import Screen
from cli.services import SERVICES
from runtime.redaction import redact
from runtime.secret_files import FOLDER, Settings, names_of, secrets_of
from runtime.settings import BrokerSettings, ChromaSettings, DatabaseSettings
from runtime.settings_check import ALL, check, classes_of
from runtime.settings_rules import Finding, State

_SHARED = "runtime"
_SECONDS = 5.0  # for one server to answer
_STYLES = {State.OK: "green", State.NOTE: "yellow"}
_MARKS = {State.OK: "✓", State.NOTE: "·"}
_BAD = {State.MISSING, State.WRONG}
_ADDRESSES = {f"REPOSTREAM_{name.upper()}_{what}" for name in SERVICES for what in ("HOST", "PORT", "HELD")}
_OTHER = {FOLDER, "REPOSTREAM_CRASH_AT", *_ADDRESSES}  # settings that are no field of a class in a settings module


def run_check(*, as_json: bool) -> int:
    """The command. 0: nothing is wrong; 1: something is missing or wrong; 3: a server that is set does not answer."""
    findings = [*check(classes()), *_strangers(), *asyncio.run(_servers())]
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
    found = [(ALL, cls) for cls in classes_of(_SHARED)]
    for package in SERVICES:
        found += [(package, cls) for cls in classes_of(package)]
    return [*found, ("cli", TokenSettings), ("cli", KeySettings)]


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
            yield Finding(ALL, name, State.NOTE, "environment", detail)
        if name in secret and os.environ[name] and os.environ.get(f"{name}_FILE"):
            detail = f"{name}_FILE is set too: the variable wins; unset one of them"
            yield Finding(ALL, name, State.WRONG, "environment", detail)
    folder = os.environ.get(FOLDER)
    if folder and not Path(folder).is_dir():
        yield Finding(ALL, FOLDER, State.WRONG, "environment", "names no folder")
    elif folder:
        for path in sorted(Path(folder).iterdir()):
            if path.is_file() and not path.name.startswith(".") and path.name.upper() not in secret:
                yield Finding(ALL, path.name, State.NOTE, str(path), "no secret is called like this file")


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
