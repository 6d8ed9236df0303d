"""The repository that a benchmark has analysed, in a folder that a git server serves."""

from pathlib import Path

from tests.support.git_repositories import build_from_archives
from tests.support.source_archives import source_archive


def serve(folder: Path, repository: Path | None, project: str) -> str:
    """Put the bare `repository`, or the source archive of `project` where there is none, into `folder`; its name."""
    folder.mkdir()
    if repository is None:
        build_from_archives(folder / f"{project}.git", [source_archive(project)])
        return project
    (folder / repository.name).symlink_to(repository.resolve())
    return repository.stem
