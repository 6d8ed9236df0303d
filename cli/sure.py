"""What is asked before something is done that cannot be taken back, or that others would feel."""

import sys

import typer

from cli.exits import DECLINED, INTERRUPTED, USAGE, leave


def require_yes(question: str, *, yes: bool) -> None:
    """Return where `yes`, or where whoever sits there says so; else end with DECLINED, and nothing is done.

    Ends with USAGE where nobody can be asked, with INTERRUPTED where whoever is asked breaks off.
    """
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:  # of Ctrl-C, or of an input that is at its end
        if sys.stdin.isatty():
            raise SystemExit(INTERRUPTED) from None
        leave(USAGE, "Nobody can be asked here: add --yes.")
    if not agreed:
        leave(DECLINED, "Nothing was done.")
