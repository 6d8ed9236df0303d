"""Bring a database to this release, or take revisions back for an older one.

`python -m migrations upgrade` is what each release needs once, before its services start; `repostream up` does it by
itself. `python -m migrations downgrade 0039` takes back what came after that revision. The database is the one of
`REPOSTREAM_DATABASE_URL`, as its owner; whatever uses it is stopped before a downgrade.
"""

import argparse

from migrations import KeysCannotBeOpened, UpgradeBlocked, check_stored_keys
from migrations.run import downgrade, upgrade
from runtime.settings import DatabaseSettings, SecretSettings


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m migrations")
    commands = parser.add_subparsers(required=True, metavar="{upgrade,downgrade}")
    commands.add_parser("upgrade", help="bring the database to this release").set_defaults(revision="")
    back = commands.add_parser("downgrade", help="take back what came after a revision")
    back.add_argument("revision", help="the newest revision of the older release, such as 0039")
    to = parser.parse_args().revision
    url = DatabaseSettings().url.get_secret_value()
    if not url:
        parser.error("set REPOSTREAM_DATABASE_URL to the database that is to be changed")
    if to:
        downgrade(url, to=to)
        return
    try:
        check_stored_keys(url, SecretSettings().key.get_secret_value())
        upgrade(url)
    except (UpgradeBlocked, KeysCannotBeOpened) as why:
        parser.exit(1, f"{why}\n")


if __name__ == "__main__":
    main()
