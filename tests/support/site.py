"""The pages and the orchestrator where people sign in, each in a process of its own, as a browser meets them."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page

from runtime.sealing import fresh_key
from tests.support.github import GitHubStandIn
from tests.support.service_keys import KEYS, PUBLIC_KEYS
from tests.support.signing_in import settings_for

_ORCHESTRATOR = "import sys, uvicorn; from orchestrator.app import create_app; \
uvicorn.run(create_app(), host='127.0.0.1', port=int(sys.argv[1]), log_config=None)"
_PAGES = "import sys; from web_ui.app import serve; serve('127.0.0.1', int(sys.argv[1]))"
_SCREENSHOTS = Path(
    os.environ.get("REPOSTREAM_TEST_SCREENSHOTS") or Path(__file__).parents[2] / "build" / "screenshots"
)


@dataclass(frozen=True)
class Site:
    """Where people find the pages (`url`), and programs the API (`api`)."""

    url: str
    api: str


@contextlib.contextmanager
def serving_site(github: GitHubStandIn, settings: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Both, over the databases that the environment names."""
    api, pages = _free_port(), _free_port()
    environment = os.environ | settings_for(github, f"http://127.0.0.1:{pages}")
    environment |= {
        "REPOSTREAM_SECRET_KEY": fresh_key(),
        "REPOSTREAM_SERVICE_PUBLIC_KEYS": PUBLIC_KEYS,
        "REPOSTREAM_INTERNAL_ORCHESTRATOR_URL": f"http://127.0.0.1:{api}",
        **(settings or {}),
    }
    with (
        _process(_ORCHESTRATOR, api, environment | {"REPOSTREAM_SERVICE_KEY": KEYS["orchestrator"]}) as behind,
        _process(_PAGES, pages, environment | {"REPOSTREAM_SERVICE_KEY": KEYS["web_ui"]}) as url,
    ):
        yield Site(url, behind)


@contextlib.contextmanager
def serving_pages(orchestrator_url: str) -> Iterator[str]:
    """The pages alone, before an orchestrator that runs; where they are."""
    environment = os.environ | {
        "REPOSTREAM_INTERNAL_ORCHESTRATOR_URL": orchestrator_url,
        "REPOSTREAM_SERVICE_KEY": KEYS["web_ui"],
    }
    with _process(_PAGES, _free_port(), environment) as url:
        yield url


def sign_in(page: Page) -> None:
    """Sign in with the stand-in GitHub, from any page."""
    page.get_by_role("link", name="Sign in with GitHub").click()
    page.locator("#authorize").click()


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the page, to be looked at after a run: in build/screenshots, or where the environment says."""
    _SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(_SCREENSHOTS / f"{name}.png"), full_page=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _process(program: str, port: int, environment: dict[str, str]) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-c", program, str(port)], env=environment) as process:
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{url}/healthz", trust_env=False).status_code == 200:
                        break
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()
            process.wait(40)
