"""Real projects for the tests, from source archives that requirements/projects.lock pins by hash."""

import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "projects.lock"
FOLDER = ROOT / "build" / "archives"


@cache
def source_tree(project: str) -> Path:
    """The unpacked source of a pinned project, downloaded once and kept in build/archives."""
    pin = next(line for line in LOCK.read_text().splitlines() if line.startswith(f"{project}=="))
    version = pin.split("==")[1].split()[0]
    target = FOLDER / f"{project}-{version}"
    if not target.is_dir():
        _unpack(_download(pin, project), target)
    return target


def _download(pin: str, project: str) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = FOLDER / f"{project}.txt"
    wanted.write_text(pin + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", ":all:", "--require-hashes", "--requirement", str(wanted), "--dest", str(FOLDER)]
    subprocess.run(command, check=True, timeout=300)
    return next(path for path in FOLDER.glob("*.tar.gz") if path.name.lower().startswith(f"{project}-"))


def _unpack(archive: Path, target: Path) -> None:
    unpacking = target.with_suffix(".partial")
    with tarfile.open(archive) as tar:
        tar.extractall(unpacking, filter="data")  # pinned by hash, so these bytes are known
    (content,) = unpacking.iterdir()
    content.rename(target)
    unpacking.rmdir()
