"""The five services: where each listens, and how one is run."""

import gc
import http.client
import importlib
import sys
from dataclasses import dataclass

from pydantic_settings import SettingsConfigDict

from runtime.embedded.child import StartError, free_port, port_is_free, shared_listener
from runtime.logging import log_uncaught
from runtime.secret_files import Settings

_NOT_STARTED = 3  # the exit code of a service that could not begin
_GRACE = 20  # seconds a service may take to finish what it is doing when it is told to end


@dataclass(frozen=True)
class Service:
    """A service. A `public` one has a port people know, so it is never moved to another by itself."""

    name: str
    port: int
    public: bool = False

    @property
    def setting(self) -> str:
        """The environment variable that changes its port."""
        return f"REPOSTREAM_{self.name.upper()}_PORT"

    @property
    def held_setting(self) -> str:
        """The environment variable that tells the service that its starter keeps the port for it."""
        return f"REPOSTREAM_{self.name.upper()}_HELD"

    @property
    def can_share(self) -> bool:
        """Whether it can listen on a port that its starter keeps; Streamlit binds its own."""
        return self.name != "web_ui"


SERVICES = {
    service.name: service
    for service in (
        Service("orchestrator", 8001, public=True),
        Service("processor", 8002),
        Service("ai_engine", 8003),
        Service("rag_manager", 8004),
        Service("web_ui", 8501, public=True),
    )
}


class _AddressSettings(Settings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True)
    host: str = "127.0.0.1"
    port: int = 0
    held: bool = False


@dataclass(frozen=True)
class Address:
    """Where a service listens; `reach` is where others find it."""

    host: str
    port: int
    held: bool = False  # whether whoever started the service keeps the port for it

    @property
    def reach(self) -> str:
        """A host that can be connected to, also where the service listens on all of them."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # what people write

    @property
    def url(self) -> str:
        """`http://host:port`."""
        return f"http://[{self.reach}]:{self.port}" if ":" in self.reach else f"http://{self.reach}:{self.port}"


def configured_address(service: Service) -> Address:
    """`REPOSTREAM_<SERVICE>_HOST` and `_PORT`, or loopback and the service's own port."""
    settings = _AddressSettings(_env_prefix=f"REPOSTREAM_{service.name.upper()}_")
    return Address(settings.host, settings.port or service.port, settings.held)


def settle_address(service: Service, *, movable: bool) -> Address:
    """The configured address; where its port is taken, another one if `movable`. Raises StartError if not."""
    address = configured_address(service)
    if port_is_free(address.port, address.host):
        return address
    if movable:
        return Address(address.host, free_port())
    raise StartError(
        f"Port {address.port} of {address.host}, which the {service.name} wants, is taken: "
        f"end what listens there, or set {service.setting} to another port."
    )


def is_ready(address: Address) -> bool:
    """Whether `/readyz` says so, within a second."""
    client = http.client.HTTPConnection(address.reach, address.port, timeout=1)
    try:
        client.request("GET", "/readyz")
        return client.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def load(name: str) -> None:
    """Import what the service needs, which takes longer than anything else it does to start.

    What modules define stays: looking for garbage in it is a sixth of the time that importing takes, and of every
    look after that a good part.
    """
    gc.disable()
    importlib.import_module("uvicorn")
    importlib.import_module(f"{name}.app")
    gc.freeze()
    gc.enable()


def serve(name: str) -> None:
    """Run one service in this process until SIGTERM or SIGINT."""
    log_uncaught()
    address = configured_address(SERVICES[name])
    app = importlib.import_module(f"{name}.app")
    if name == "web_ui":  # Streamlit wants a server of its own making
        app.serve(address.host, address.port)
        return
    import uvicorn

    from runtime.http_protocol import ProblemProtocol

    config = uvicorn.Config(
        app.create_app(),
        host=address.host,
        port=address.port,
        http=ProblemProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # which proxies are believed is a setting of the orchestrator
        timeout_graceful_shutdown=_GRACE,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[shared_listener(address.port, address.host)] if address.held else None)
    if not server.started:
        sys.exit(_NOT_STARTED)
