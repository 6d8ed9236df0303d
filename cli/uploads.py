"""`repostream uploads`: the archives that are kept, and letting one go."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from cli.exits import USAGE, leave
from cli.moments import minute
from cli.paging import all_of
from cli.plain import visible
from cli.sure import require_yes
from runtime.client import Client
from runtime.client.shapes import UploadView

uploads_app = typer.Typer(help="Archives that were uploaded.", no_args_is_help=True)
_PAGE = 500


@uploads_app.command("list")
def listed(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """List the uploads that are kept, the newest first."""
    from cli.api import connect
    from cli.screen import Screen

    found = list(kept(connect()))
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found]))
        return
    for one in found:
        Screen().say(line(one))
    if not found:
        Screen().say("No upload is kept.")


@uploads_app.command("delete")
def delete(
    upload: Annotated[str, typer.Argument(help="An upload's id, name or upload:// address.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
) -> None:
    """Delete an upload that no repository was made of."""
    from cli.api import connect
    from cli.screen import Screen

    api = connect()
    found = [one for one in kept(api) if upload in {one.upload_id, one.name, one.url}]
    if len(found) != 1:
        leave(USAGE, f"{'Several uploads are' if found else 'No upload is'} called “{upload}”: name one by its id.")
    require_yes(f"Delete {visible(found[0].name)}, {found[0].bytes:,} bytes?", yes=yes)
    api.uploads_delete(found[0].upload_id)
    Screen().say(f"Deleted {found[0].name}.")


def kept(api: Client) -> Iterator[UploadView]:
    """All of them, page by page."""
    return all_of(lambda cursor: api.uploads_listed(cursor=cursor, limit=_PAGE))


def line(one: UploadView) -> str:
    """`<id>  flask.zip  zip  1,204 bytes  2026-03-01 12:00 UTC  analysed`."""
    used = "analysed" if one.repositories else "not analysed"
    size = f"{one.kind}, {one.bytes:,} bytes"
    return f"{one.upload_id}  {visible(one.name)}  {size}  {minute(one.uploaded_at)}  {used}"
