"""Fetch and unpack the packages whose text the table is fitted to, with the registries' ordinary clients.

    python -m bench.fitting.packages FOLDER

Needs pip, npm, apt-get (with source lists for `debian-source`), dpkg-deb and tar; leaves
`FOLDER/unpacked/<registry>/<package>/…`.
"""

import subprocess
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

LIST = Path(__file__).with_name("packages.txt")
CLIENTS = {
    "pypi": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"],
    "npm": ["npm", "pack", "--silent"],
    "debian": ["apt-get", "download", "--quiet"],
    "debian-source": ["apt-get", "source", "--download-only", "--quiet"],
}


def listed() -> dict[str, list[str]]:
    """Return the packages with their versions, by registry, as each client wants them."""
    packages: dict[str, list[str]] = defaultdict(list)
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            registry, package = line.split()
            packages[registry].append(package)
    return packages


def fetch(folder: Path) -> None:
    """Fetch and unpack every listed package. Raises RuntimeError saying of which registry some did not arrive."""
    missing: list[str] = []
    for registry, packages in listed().items():
        into = folder / "fetched" / registry
        into.mkdir(parents=True, exist_ok=True)
        for package in packages:
            # A client may fail over a package's packaging, which is not wanted; what counts is the archive.
            subprocess.run([*CLIENTS[registry], package], cwd=into, check=False)
        arrived = [archive for archive in sorted(into.iterdir()) if _unpack(archive, folder / "unpacked" / registry)]
        if len(arrived) < len(packages):
            missing.append(f"{registry}: {len(packages) - len(arrived)} of {len(packages)}")
    if missing:
        raise RuntimeError(f"not fetched: {', '.join(missing)}")


def _unpack(archive: Path, folder: Path) -> bool:
    """Unpack an archive into a folder of its own; say whether it is one that holds a package's text."""
    if archive.suffix in {".whl", ".deb", ".tgz"}:
        target = folder / archive.stem
    elif ".orig.tar." in archive.name:
        target = folder / archive.name.split(".orig.tar.")[0]
    else:
        return False  # packaging, not the package
    target.mkdir(parents=True, exist_ok=True)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
    elif archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", archive, target], check=True)
    else:
        subprocess.run(["tar", "-xf", archive, "-C", target], check=True)
    return True


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
