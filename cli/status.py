"""`repostream status`: whether it runs, where, and how far each repository is."""

import json

from rich.console import Console
from rich.table import Table

from cli.api import Api, api_url
from cli.exits import OK
from cli.up import configured_home


def run_status(*, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError where nothing answers."""
    home = configured_home()
    api = Api(api_url())
    repositories = api.get("/repositories")["items"]
    running = home.running()
    if as_json:
        where = {"pid": running.pid, "page": running.page, "api": running.api} if running else None
        print(json.dumps({"home": str(home.path), "api": api.url, "running": where, "repositories": repositories}))
        return OK
    console = Console()
    console.print(f"Running: {running.page or running.api if running else api.url}", highlight=False)
    table = Table("repository", "state", "commit", "asked for", box=None, pad_edge=False)
    for item in repositories:
        latest = item.get("latest") or {}
        table.add_row(
            str(item["url"]),
            str(latest.get("state") or "-"),
            str(latest.get("commit") or "")[:10],
            str(latest.get("requested_at") or "")[:19],
        )
    console.print(table if repositories else "No repository was analysed yet.")
    return OK
