"""The contents of files of a bare repository, one after the other, by one `git cat-file --batch`."""

import subprocess
from pathlib import Path

from tests.support.git_repositories import CLEAN_ENVIRONMENT


def reader(repository: Path) -> subprocess.Popen[bytes]:
    """What `content` asks; a context manager, or to be ended by `communicate`."""
    command = ["git", f"--git-dir={repository}", "cat-file", "--batch"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=CLEAN_ENVIRONMENT)


def content(process: subprocess.Popen[bytes], blob: str) -> bytes:
    """Of the blob of that id, which is there."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(blob.encode() + b"\n")
    process.stdin.flush()
    size = int(process.stdout.readline().split()[2])
    return process.stdout.read(size + 1)[:size]
