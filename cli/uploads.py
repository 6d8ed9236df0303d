"""`repostream uploads`: the archives that are kept, and letting one go."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from cli.exits import USAGE, leave
from cli.plain import visible
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
        Screen().print(line(one), markup=False, highlight=False, soft_wrap=True)
    if not found:
        Screen().print("No upload is kept.")


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
    if not yes and not typer.confirm(f"Delete {visible(found[0].name)}, {found[0].bytes:,} bytes?", err=True):
        raise typer.Exit(USAGE)
    api.uploads_delete(found[0].upload_id)
    Screen().print(f"Deleted {found[0].name}.", markup=False, highlight=False)


def kept(api: Client) -> Iterator[UploadView]:
    """All of them, page by page."""
    cursor: str | None = None
    while True:
        page = api.uploads_listed(cursor=cursor, limit=_PAGE)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def line(one: UploadView) -> str:
    """`<id>  flask.zip  zip  1,204 bytes  2026-03-01 12:00  analysed`."""
    used = "analysed" if one.repositories else "not analysed"
    size = f"{one.kind}, {one.bytes:,} bytes"
    return f"{one.upload_id}  {visible(one.name)}  {size}  {one.uploaded_at:%Y-%m-%d %H:%M}  {used}"
