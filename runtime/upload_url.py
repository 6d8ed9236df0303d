"""The address of an upload: `upload://<SHA-256 of the file>/<name>`. It names a repository where others have a URL."""

import re

from runtime.archive_kinds import MAX_NAME

SCHEME, HOST = "upload://", "upload"
_ADDRESS = re.compile(rf"upload://([0-9a-f]{{64}})/([A-Za-z0-9._-]{{1,{MAX_NAME}}})")


def upload_url(sha256: str, name: str) -> str:
    """The address of a file's content under a name."""
    return f"{SCHEME}{sha256}/{name}"


def read_upload_url(url: str) -> tuple[str, str] | None:
    """Content and name of an upload's address; None for any other text."""
    found = _ADDRESS.fullmatch(url)
    return (found[1], found[2]) if found is not None else None
