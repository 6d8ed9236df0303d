"""An installation that is made once a run and copied: what a first start makes takes six seconds of a processor.

It has the database with all migrations and the models, and no key, password of a role or port: each copy makes its own.
"""

import fcntl
import os
import subprocess
from pathlib import Path

from migrations import upgrade
from rag_manager.models.build import ensure_models
from runtime.embedded.postgres import EmbeddedPostgres

_OWN = ("port", "pid", "server.log")  # of the server that made it
_MADE = ".complete"


class Installed:
    """Made when the first copy is asked for, by whichever worker that is. In the main thread."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the same for all workers of a run."""
        self._folder = folder

    def copy_to(self, home: Path) -> Path:
        """Have `home` begin with it; `home`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._folder / _MADE).exists():
                self._make()
                (self._folder / _MADE).touch()
        home.mkdir(parents=True, exist_ok=True)
        for part in ("postgres", "models"):
            subprocess.run(["cp", "--archive", str(self._folder / part), str(home)], check=True)
        return home

    def _make(self) -> None:
        postgres = EmbeddedPostgres(self._folder / "postgres", fsync=False)
        try:
            upgrade(postgres.start())
        finally:
            postgres.stop()
        for name in _OWN:
            (postgres.folder / name).unlink(missing_ok=True)
        models = self._folder / "models"
        ensure_models(models)
        (models / _MADE).touch()


def of_a_run(basetemp: Path) -> Installed:
    """The one of this run, whose workers have their folders beside each other."""
    shared = basetemp.parent if "PYTEST_XDIST_WORKER" in os.environ else basetemp
    return Installed(shared / "installed")
