"""Send an archive of this machine, so that it can be analysed."""

from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from cli.api import refusal
from cli.screen import Screen
from runtime.archive_kinds import HEAD_BYTES, kind_of
from runtime.client import Client
from runtime.client.shapes import AnalysisRequest


def archive_at(named: str) -> Path | None:
    """The file that is named instead of a repository's address; None where it is no file here. Raises ApiError."""
    path = Path(named).expanduser()
    if "://" in named or not path.is_file():
        return None
    with path.open("rb") as file:
        if kind_of(file.read(HEAD_BYTES)) is None:
            raise refusal(
                "archive_unknown", f"{path.name} is no zip and no tar (plain, or packed by gzip, bzip2, xz or zstd)."
            )
    return path


def with_upload(api: Client, request: AnalysisRequest, console: Screen, *, quiet: bool) -> AnalysisRequest:
    """The request; one for a file of this machine by the address of its upload. Raises ApiError."""
    path = archive_at(request.url)
    if path is None:
        return request
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with (
        Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress,
        progress.open(path, "rb", description=f"Uploading {path.name}") as file,
    ):
        kept = api.uploads_receive(file, name=path.name)
    if not quiet:
        console.say(f"Uploaded {path.name}: {kept.bytes:,} bytes of {kept.kind}")
    return request.model_copy(update={"url": kept.url})
