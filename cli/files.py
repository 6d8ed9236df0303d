"""Files that commands write."""

from pathlib import Path

from cli.exits import USAGE, leave


def require_absent(path: Path) -> None:
    """End with USAGE where something is there already: nothing is written over."""
    if path.exists():
        leave(USAGE, f"{path} is there already: name another file, or remove it.")


def write_new(path: Path, text: str) -> None:
    """Write `text` to a file that is not there yet. Raises OSError."""
    require_absent(path)
    path.write_text(text, "utf-8")
