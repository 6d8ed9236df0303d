"""Real projects for the tests, from source archives that requirements/projects.lock pins by hash."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements" / "projects.lock"
FOLDER = ROOT / "build" / "archives"


def source_archive(project: str) -> Path:
    """The source archive of a pinned project, downloaded once and kept in build/archives."""
    pin = next(line for line in LOCK.read_text().splitlines() if line.startswith(f"{project}=="))
    archive = FOLDER / f"{pin.split()[0].replace('==', '-')}.tar.gz"
    if not archive.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        wanted = FOLDER / f"{project}.txt"
        wanted.write_text(pin + "\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-binary", ":all:", "--require-hashes", "--requirement", str(wanted), "--dest", str(FOLDER)]
        subprocess.run(command, check=True, timeout=300)
    return archive
