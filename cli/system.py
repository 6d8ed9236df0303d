"""The whole system on one machine: servers, steps, services, in one place."""

import json
import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cli.child import MIGRATE, MODELS, ROLE_PASSWORDS
from cli.home import Home
from cli.keys import public_keys, remembered_keys
from cli.logins import VALKEY_USERS, database_urls, remembered_passwords
from cli.services import SERVICES, Address, Service, is_ready, settle_address
from runtime.embedded.child import (
    StartError,
    choosing_ports,
    hold_port,
    reason_in,
    remembered_secret,
    size_of,
    text_since,
)
from runtime.embedded.chroma import EmbeddedChroma
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.process import Command, Managed
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.supervisor import Supervisor, rotate, stop_in_order
from runtime.embedded.valkey import EmbeddedValkey
from runtime.sealing import fresh_key
from runtime.service_tokens import written
from runtime.settings import InternalSettings, SecretSettings

_WORTH_SAYING = 10.0  # seconds that the migrations take, before a person is told what is waited for
_READY_SECONDS = 180.0  # a busy or slow machine, and the models the first time
_HOPELESS = 4  # starts of a service that never became ready, before the whole start is given up
_SERVICE_STOP, _SERVER_STOP = 25.0, 20.0  # seconds
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outside:
    """URLs of servers that somebody else runs; an empty one means the embedded server."""

    database: str = ""
    redis: str = ""
    chroma: str = ""


@dataclass
class System:
    """What `up` runs. `start`, then `tick` until it shall end, then `stop`."""

    home: Home
    outside: Outside
    models: Path
    services: Sequence[Service]
    movable: bool  # whether people's ports may move too
    say: Say
    addresses: dict[str, Address] = field(default_factory=dict)
    _held: dict[str, socket.socket] = field(default_factory=dict)
    _servers: list[EmbeddedServer] = field(default_factory=list)
    _steps: dict[str, Command] = field(default_factory=dict)
    _commands: dict[str, Command] = field(default_factory=dict)
    _supervisor: Supervisor | None = None
    _redis_urls: dict[str, str] = field(default_factory=dict)

    def start(self, stopping: Callable[[], bool]) -> None:
        """Bring everything up. Returns early where `stopping` says so.

        Raises StartError; what was started until then is still to be stopped.
        """
        self._settle_addresses()
        self._begin_importing()
        environment = self._start_servers()
        self._migrate(environment, stopping)
        if stopping():
            return
        self._supervisor = Supervisor([*self._servers, *self._commands.values()], self.say)
        self._supervisor.begin()
        deadline = time.monotonic() + _READY_SECONDS
        while self._supervisor.waiting_for and not stopping():
            self._let_go(environment)
            self._supervisor.tick()
            self._give_up_on_hopeless(deadline)
            time.sleep(0.02)

    def tick(self) -> None:
        """Look after everything once; call it some times a second."""
        if self._supervisor is not None:
            self._supervisor.tick()

    def stop(self) -> None:
        """End everything: the pages, then who accepts work, then who does it, then the servers."""
        named = [self._commands.get(name) for name in ("web_ui", "orchestrator")]
        first = [[command] for command in named if command is not None]
        workers = [command for name, command in self._commands.items() if name not in ("web_ui", "orchestrator")]
        stop_in_order([[*self._steps.values()], *first, workers], _SERVICE_STOP)
        stop_in_order([self._servers], _SERVER_STOP)
        self._let_ports_go()

    def kill(self) -> None:
        """End everything at once: a person is in a hurry. Nothing accepted is lost by it."""
        for process in (*self._steps.values(), *self._commands.values()):
            process.kill()
        stop_in_order([self._servers], _SERVER_STOP)
        self._let_ports_go()

    def _let_ports_go(self) -> None:
        while self._held:
            self._held.popitem()[1].close()

    def _settle_addresses(self) -> None:
        with choosing_ports():
            for service in self.services:
                address = settle_address(service, movable=self.movable or not service.public)
                self.addresses[service.name] = address
                held = hold_port(address.port, address.host) if service.can_share else None
                if held is not None:  # from now on nobody can take it, also while the service is not there
                    self._held[service.name] = held

    def _begin_importing(self) -> None:
        def command(name: str, ready: Callable[[], bool]) -> Command:
            log = self.home.logs / f"{name}.log"
            rotate(log)
            return Command(name, ["cli.child", name], log, ready)

        self._steps[MIGRATE] = command(MIGRATE, lambda: True)
        if "rag_manager" in self.addresses and not self._models_mark.exists():
            self._steps[MODELS] = command(MODELS, lambda: True)
        for name, address in self.addresses.items():
            self._commands[name] = command(name, lambda address=address: is_ready(address))  # type: ignore[misc]  # bound now
        for process in (*self._steps.values(), *self._commands.values()):
            process.spawn()
        if MODELS in self._steps:
            self._steps[MODELS].open_gate({"REPOSTREAM_MODELS_FOLDER": str(self.models)})

    def _start_servers(self) -> dict[str, str]:
        """Start the embedded ones; return the environment of the services."""
        home, logs = self.home.path, self.home.logs
        valkey = EmbeddedValkey(home / "valkey", log=logs / "valkey.log", users=VALKEY_USERS)
        chroma = EmbeddedChroma(home / "chroma", log=logs / "chroma.log")
        postgres = EmbeddedPostgres(home / "postgres", log=logs / "postgres.log")
        given = (self.outside.redis, self.outside.chroma, self.outside.database)
        pairs = list(zip((valkey, chroma, postgres), given, strict=True))
        self._servers = [server for server, url in pairs if not url]
        for server in self._servers:
            server.spawn()
        urls = [url or server.wait_ready() for server, url in pairs]
        if not self.outside.redis:
            self._redis_urls = {user: valkey.url_of(user) for user in VALKEY_USERS}
        return self._environment(*urls)

    @cached_property
    def _keys(self) -> dict[str, str]:
        return remembered_keys(self.home.path / "service-keys")

    @cached_property
    def _passwords(self) -> dict[str, str]:
        """Of the embedded database's roles; elsewhere none of them is ours to give."""
        return {} if self.outside.database else remembered_passwords(self.home.path / "postgres" / "roles")

    def _own(self, service: str, environment: dict[str, str]) -> dict[str, str]:
        """What one service has in its environment that the others have not."""
        own = {"REPOSTREAM_SERVICE_KEY": self._keys[service]}
        if not self.outside.redis:
            own |= {"REPOSTREAM_REDIS_URL": self._redis_urls.get(service, "")}
        if not self.outside.database:
            own |= {"REPOSTREAM_DATABASE_URL": ""}  # the owner's is for the migrations alone
            own |= database_urls(service, environment["REPOSTREAM_DATABASE_URL"], self._passwords)
        return own

    def _environment(self, redis: str, chroma: str, database: str) -> dict[str, str]:
        environment = {
            "REPOSTREAM_HOME": str(self.home.path),
            "REPOSTREAM_DATABASE_URL": database,
            "REPOSTREAM_REDIS_URL": redis,
            "REPOSTREAM_CHROMA_URL": chroma,
            "REPOSTREAM_MODELS_FOLDER": str(self.models),
            "REPOSTREAM_SERVICE_PUBLIC_KEYS": written(public_keys(self._keys)),
            "REPOSTREAM_SECRET_KEY": SecretSettings().key.get_secret_value()
            or remembered_secret(self.home.path / "secret-key", fresh_key),
        }
        if "REPOSTREAM_LOCAL_SIGN_IN" not in os.environ:
            environment["REPOSTREAM_LOCAL_SIGN_IN"] = "true"  # nobody signs in otherwise
        for name, address in self.addresses.items():
            environment[f"REPOSTREAM_{name.upper()}_HOST"] = address.host
            environment[f"REPOSTREAM_{name.upper()}_PORT"] = str(address.port)
            environment[SERVICES[name].held_setting] = str(name in self._held)
            if f"{name}_url" in InternalSettings.model_fields:
                environment[f"REPOSTREAM_INTERNAL_{name.upper()}_URL"] = address.url
        return environment

    def _migrate(self, environment: dict[str, str], stopping: Callable[[], bool]) -> None:
        """For as long as it takes: a large database is changed for minutes, and gives up by itself where it cannot."""
        step = self._steps[MIGRATE]
        step.open_gate(environment | ({ROLE_PASSWORDS: json.dumps(self._passwords)} if self._passwords else {}))
        said = time.monotonic() + _WORTH_SAYING
        while step.running and not stopping():
            if time.monotonic() > said:
                self.say(f"The database is brought up to date (log: {step.log}).")
                said = math.inf
            time.sleep(0.01)
        if not step.succeeded and not stopping():
            raise StartError(f"The database could not be brought up to date: {_last_words(step)} (log: {step.log}).")

    def _let_go(self, environment: dict[str, str]) -> None:
        """Open the services' gates; rag_manager's only once the models are made, which takes longest the first time."""
        models = self._steps.get(MODELS)
        for name, command in self._commands.items():
            if name != "rag_manager" or models is None or not models.running:
                command.open_gate(environment | self._own(name, environment))
        if models is not None and not models.running:
            if not models.succeeded:
                raise StartError(f"The models could not be made: {_last_words(models)} (log: {models.log}).")
            self._models_mark.touch()
            del self._steps[MODELS]

    @property
    def _models_mark(self) -> Path:
        return self.models / ".complete"

    def _give_up_on_hopeless(self, deadline: float) -> None:
        assert self._supervisor is not None  # noqa: S101  # for the type checker
        hopeless = self._supervisor.failing(_HOPELESS)
        if hopeless is not None:
            raise StartError(f"{hopeless.name} does not start: {_last_words(hopeless)} (log: {hopeless.log}).")
        if time.monotonic() > deadline:
            raise StartError(f"Not ready after {_READY_SECONDS:.0f} s: {', '.join(self._supervisor.waiting_for)}.")


def _last_words(process: Managed) -> str:
    return reason_in(text_since(process.log, size_of(process.log) - 4_000))


def all_services(without: Sequence[str] = ()) -> list[Service]:
    """The services, in the order of their ports, but for some."""
    return [service for name, service in SERVICES.items() if name not in without]
