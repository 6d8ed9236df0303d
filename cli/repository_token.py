"""The token of a private repository, as a command is given it: never as an argument, which every user can read."""

import getpass
import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from cli.exits import USAGE, leave
from runtime.redaction import hide
from runtime.secret_files import Settings

_MOST = 4_000  # characters


class TokenSettings(Settings):
    """`REPOSTREAM_REPOSITORY_TOKEN`, or the file that `REPOSTREAM_REPOSITORY_TOKEN_FILE` names."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_REPOSITORY_", extra="ignore", frozen=True)
    token: SecretStr = SecretStr("")


def read_token(file: Path | None) -> str | None:
    """The token out of `file`, or of the settings where there is none; None for no token.

    `-` is standard input; at a terminal it is asked for, and not shown. Leaves with a sentence where it is not there.
    """
    token = TokenSettings().token.get_secret_value() if file is None else _read(file)
    if token:
        hide(token)
    elif file is not None:
        leave(USAGE, "There is no token in it.")
    return token or None


def _read(file: Path) -> str:
    if str(file) == "-" and sys.stdin.isatty():
        return getpass.getpass("Token of the repository (not shown): ").strip()
    try:
        with sys.stdin if str(file) == "-" else file.open(encoding="utf-8") as source:
            text = source.read(_MOST + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        leave(USAGE, f"The token's file {file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.")
    if len(text) > _MOST or len(text.split()) > 1:
        leave(USAGE, f"The file {file} holds more than a token.")
    return text
