"""What `up` starts: `python -m cli.child NAME`, a service or one of the steps before them.

Each imports first and waits then for its environment, so that seven slow imports and the servers' start overlap.
Kept apart from the commands: a service needs neither Typer nor Rich.
"""

import json
import os
import sys
from pathlib import Path

from runtime.embedded.process import pass_gate

MIGRATE, MODELS = "migrate", "models"
ROLE_PASSWORDS = "REPOSTREAM_DATABASE_ROLE_PASSWORDS"  # of the embedded server, for the step alone


def _migrate() -> None:
    from migrations import KeysCannotBeOpened, UpgradeBlocked, check_stored_keys, let_sign_in, upgrade

    pass_gate()
    url, passwords = os.environ["REPOSTREAM_DATABASE_URL"], os.environ.get(ROLE_PASSWORDS, "")
    try:
        check_stored_keys(url, os.environ.get("REPOSTREAM_SECRET_KEY", ""))
        upgrade(url)
    except (UpgradeBlocked, KeysCannotBeOpened) as why:
        raise SystemExit(str(why)) from None
    if passwords:
        let_sign_in(url, json.loads(passwords))


def _make_models() -> None:
    from rag_manager.models.build import ensure_models

    pass_gate()
    ensure_models(Path(os.environ["REPOSTREAM_MODELS_FOLDER"]))


def _serve(name: str) -> None:
    from cli.services import load, serve

    load(name)
    pass_gate()
    serve(name)


def main(name: str) -> None:
    """Run the step or service `name`."""
    if name == MIGRATE:
        _migrate()
    elif name == MODELS:
        _make_models()
    else:
        _serve(name)


if __name__ == "__main__":
    main(sys.argv[1])
