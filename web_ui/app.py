"""Put the web pages together and serve them. The only module that reads settings."""

import ipaddress
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import uvicorn
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager
from streamlit.starlette import App

from runtime.client import Client
from runtime.client.keeping import Keeping
from runtime.drain import on_stop_signal
from runtime.logging import configure_logging
from runtime.security_headers import is_https
from runtime.service_tokens import ServiceSigner
from runtime.settings import InternalSettings, LogSettings, ServiceKeySettings
from web_ui import first_page, session, views  # noqa: F401  # `views` is read before the first visitor comes
from web_ui.assets import PackedAssets
from web_ui.guard import LOOPBACK, Guard, headers_for
from web_ui.proxy import ApiProxy
from web_ui.settings import SiteSettings, WebUiSettings
from web_ui.sign_in import Entrance

import_module("pandas")  # Streamlit would with the first component: a tenth of a second of the first visitor's

ICON = Path(__file__).with_name("icon.svg")
SCRIPT = Path(__file__).with_name("shell.py")
PAGES = frozenset(file.stem for file in Path(__file__).with_name("pages").glob("[a-z]*.py")) - {"start"}  # that is `/`
_STREAMLITS = ("_stcore", "app", "auth", "component", "media", "static")  # what it serves below a name
_GRACE = 20  # seconds for requests to be answered when it is told to end; event streams are sent elsewhere at once


class _Deeper(PathConvertor):
    """An address of several parts. No page has one: Streamlit would answer it by its start page, and 200."""

    regex = rf"(?!(?:{'|'.join(_STREAMLITS)})/)[^/]+/.+"


register_url_convertor("deeper", _Deeper())


def make_app(
    orchestrator_url: str, hosts: Iterable[str], signer: ServiceSigner | None = None, *, https: bool = False
) -> App:
    """The pages as one ASGI application: Streamlit, `/api/v1`, `/auth`, `/healthz` and `/readyz`."""
    proxy = ApiProxy(orchestrator_url, signer=signer)
    client = Client(
        orchestrator_url,
        Keeping(session.whose),
        authorization=session.authorization,
        on_behalf=lambda: session.on_behalf(signer),
        compressed=False,
    )
    entrance = Entrance(orchestrator_url, signer)
    session.use(client, entrance)
    # Else Streamlit takes `pages/` for its old kind of pages until shell.py first runs, and whoever comes first by an
    # analysis' address gets that page without its frame.
    PagesManager.uses_pages_directory = False

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        ready = await proxy.reachable()
        return JSONResponse({"status": "ok" if ready else "waiting for the orchestrator"}, 200 if ready else 503)

    @asynccontextmanager
    async def lifespan(_app: App) -> AsyncIterator[None]:
        with on_stop_signal(proxy.end_streams):
            yield
        await proxy.close()
        client.close()
        entrance.close()

    return App(
        SCRIPT,
        lifespan=lifespan,
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/favicon.png", _icon),  # the name that Streamlit's page asks for
            *proxy.routes(),
            Route("/", _page),
            Route("/{page}", _page),
            Route("/{page:deeper}", _page),
        ],
        middleware=[
            Middleware(Guard, hosts=tuple(hosts), headers=headers_for(first_page.index(), https=https)),
            Middleware(PackedAssets),
        ],
    )


async def _page(request: Request) -> Response:
    name = request.path_params.get("page")
    is_one = name is None or name in PAGES
    told = first_page.index() if is_one else first_page.missing()
    return HTMLResponse(told, 200 if is_one else 404, headers={"cache-control": "no-cache"})


async def _icon(_request: Request) -> Response:
    return Response(ICON.read_bytes(), media_type="image/svg+xml", headers={"cache-control": "max-age=86400"})


def allowed_hosts(host: str, configured: str) -> tuple[str, ...]:
    """The names under which the pages may be asked for: loopback's, the address served on, and the configured ones."""
    named = tuple(name.strip() for name in configured.split(",") if name.strip())
    return (*LOOPBACK, *(() if _is_wildcard(host) else (host,)), *named)


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _signer() -> ServiceSigner | None:
    key = ServiceKeySettings().key.get_secret_value()
    try:
        return ServiceSigner("web_ui", key) if key else None
    except ValueError as error:
        raise SystemExit(str(error)) from None


def _socket(host: str, port: int) -> socket.socket:
    bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2_048)
    bound.set_inheritable(True)
    return bound


def serve(host: str, port: int) -> None:
    """Serve the pages on `host:port` until SIGTERM or SIGINT. An address that is taken raises OSError at once."""
    logs = LogSettings()
    configure_logging(service="web_ui", level=logs.level, format=logs.format)
    hosts = allowed_hosts(host, WebUiSettings().allowed_hosts)
    with _socket(host, port) as bound:
        app = make_app(InternalSettings().orchestrator_url, hosts, _signer(), https=is_https(SiteSettings().public_url))
        for option, value in (
            ("server.address", host),
            ("server.port", port),
            ("server.allowedHosts", list(hosts)),
        ):
            config.set_option(option, value)
        uvicorn.Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                ws="websockets-sansio",
                ws_max_size=config.get_option("server.maxMessageSize") * 1_000_000,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,  # the orchestrator alone decides which proxies are believed
                timeout_graceful_shutdown=_GRACE,
            )
        ).run(sockets=[bound])
