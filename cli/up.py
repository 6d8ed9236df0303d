"""`repostream up`: run everything on this machine until Ctrl-C."""

import os
import signal
import time
from pathlib import Path
from types import FrameType

from cli.exits import INTERRUPTED, OK, RUNNING, UNREACHABLE
from cli.home import AlreadyRunningError, Home, Running
from cli.services import Service
from cli.system import Outside, System
from runtime.embedded.child import StartError
from runtime.redaction import redact
from runtime.settings import BrokerSettings, ChromaSettings, DatabaseSettings, HomeSettings, ModelSettings


class _Signals:
    """Counts requests to end: the first drains, the second does not wait."""

    def __init__(self) -> None:
        self.count = 0
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if sign != signal.SIGHUP or signal.getsignal(sign) != signal.SIG_IGN:  # nohup means it
                signal.signal(sign, self._note)

    def _note(self, _sign: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 2:
            raise KeyboardInterrupt

    def __call__(self) -> bool:
        return self.count > 0


def say(sentence: str) -> None:
    """One line for the person at the console."""
    print(f"· {redact(sentence)}", flush=True)


def configured_home() -> Home:
    """The home folder of the settings."""
    return Home(HomeSettings().home)


def run_up(services: list[Service], *, movable: bool) -> int:
    """Run until SIGTERM or SIGINT; return the exit code, having said why where it is not 0."""
    began = time.monotonic()
    home = configured_home()
    try:
        home.take()
    except AlreadyRunningError as error:
        where = f" at {error.running.page or error.running.api}" if error.running else ""
        print(f"Repostream already runs on {home.path}{where}.")
        return RUNNING
    except StartError as error:
        print(redact(str(error)))
        return UNREACHABLE
    try:
        return _run(home, services, movable, began)
    finally:
        home.release()


def _run(home: Home, services: list[Service], movable: bool, began: float) -> int:
    stopping = _Signals()
    system = System(home, _outside(), _models(home), services, movable, say)
    code = OK
    try:
        system.start(stopping)
        if not stopping():
            _announce(home, system, time.monotonic() - began)
        while not stopping():
            system.tick()
            time.sleep(0.1)
        say("Ending: finishing what is being done (again to end at once).")
        system.stop()
    except StartError as error:
        print(redact(str(error)))
        code = UNREACHABLE
        system.kill()
    except KeyboardInterrupt:
        code = INTERRUPTED
        system.kill()
    except BaseException:
        system.kill()
        raise
    return code


def _announce(home: Home, system: System, seconds: float) -> None:
    page = system.addresses.get("web_ui")
    orchestrator = system.addresses.get("orchestrator")
    home.announce(
        Running(
            pid=os.getpid(),
            page=page.url if page else "",
            api=orchestrator.url if orchestrator else "",
            services={name: address.url for name, address in system.addresses.items()},
        )
    )
    say(f"Ready after {seconds:.1f} s. Data and logs: {home.path}")
    if page:
        print(f"\n  Open {page.url}\n", flush=True)


def _outside() -> Outside:
    return Outside(
        database=DatabaseSettings().url.get_secret_value(),
        redis=BrokerSettings().url.get_secret_value(),
        chroma=ChromaSettings().url.get_secret_value(),
    )


def _models(home: Home) -> Path:
    return ModelSettings().folder or home.path / "models"
