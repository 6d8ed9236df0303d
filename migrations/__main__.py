"""Take revisions back for a release that is older: `python -m migrations downgrade 0039`.

The database is the one of `REPOSTREAM_DATABASE_URL`; whatever uses it is stopped before.
"""

import argparse
import os

from migrations.run import downgrade


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m migrations")
    commands = parser.add_subparsers(required=True, metavar="downgrade")
    back = commands.add_parser("downgrade", help="take back what came after a revision")
    back.add_argument("revision", help="the newest revision of the older release, such as 0039")
    url = os.environ.get("REPOSTREAM_DATABASE_URL", "")
    to = parser.parse_args().revision
    if not url:
        parser.error("set REPOSTREAM_DATABASE_URL to the database whose revisions are taken back")
    downgrade(url, to=to)


if __name__ == "__main__":
    main()
