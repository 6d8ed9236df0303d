"""Build bare git repositories: from text trees, folders and source archives, well-formed or hostile.

Everything goes through `git fast-import`, so thousands of files take a second and the same input gives the same commit.
"""

import subprocess
import tarfile
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

CLEAN_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}
AUTHOR = b"Ada Example <ada@example.org>"
FIRST_COMMIT_AT = 1_700_000_000  # seconds; each commit is a day later
_DAY = 86_400


@dataclass(frozen=True)
class Symlink:
    target: str


@dataclass(frozen=True)
class Submodule:
    commit: str = "1" * 40


@dataclass(frozen=True)
class Executable:
    content: bytes


Content = str | bytes | Symlink | Submodule | Executable
Files = Mapping[str | bytes, Content]


def text_tree(drawing: str) -> dict[str, str]:
    """Files from a drawing: a line at the margin is a path, the indented lines under it are its content."""
    files: dict[str, str] = {}
    path, lines = "", list[str]()
    for line in [*textwrap.dedent(drawing).strip("\n").split("\n"), "end"]:
        if line and not line[0].isspace():
            if path:
                files[path] = textwrap.dedent("\n".join(lines)).rstrip("\n") + "\n"
            path, lines = line.strip(), []
        else:
            lines.append(line)
    return files


def git(repository: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """The output of a git command on a bare repository."""
    command = ["git", f"--git-dir={repository}", *arguments]
    return subprocess.run(command, input=stdin, env=CLEAN_ENVIRONMENT, check=True, capture_output=True).stdout


def empty_repository(target: Path) -> Path:
    """A bare repository without a commit."""
    target.mkdir(parents=True, exist_ok=True)
    git(target, "-c", "init.defaultBranch=main", "init", "--quiet", "--bare", "--template=", str(target))
    return target


def build_repository(
    target: Path,
    commits: Sequence[Files],
    *,
    branch: str = "main",
    branches: Mapping[str, int] | None = None,
    tags: Mapping[str, int] | None = None,
    subjects: Sequence[str] = (),
) -> list[str]:
    """A bare repository at `target`; each of `commits` is a whole tree. Returns the commit ids, oldest first.

    `branches` and `tags` name further refs by the index of their commit; HEAD is `branch`, at the last one.
    """
    empty_repository(target)
    stream = bytearray(b"feature done\n")
    for number, files in enumerate(commits):
        subject = subjects[number] if number < len(subjects) else f"Commit {number + 1}"
        stream += _commit(branch, number, subject, files)
    for kind, refs in (("heads", branches or {}), ("tags", tags or {})):
        for name, index in refs.items():
            stream += f"reset refs/{kind}/{name}\nfrom :{index + 1}\n\n".encode()
    stream += b"done\n"
    git(target, "fast-import", "--quiet", "--force", stdin=bytes(stream))
    git(target, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return git(target, "rev-list", "--reverse", f"refs/heads/{branch}").decode().split()


def _commit(branch: str, number: int, subject: str, files: Files) -> bytes:
    who = AUTHOR + b" %d +0100" % (FIRST_COMMIT_AT + number * _DAY)
    head = b"commit refs/heads/%s\nmark :%d\nauthor %s\ncommitter %s\n" % (branch.encode(), number + 1, who, who)
    parts = [head, _data(subject.encode()), b"deleteall\n"]
    for path, content in files.items():
        raw = path.encode() if isinstance(path, str) else path
        parts.append(_change(raw, content))
    return b"".join([*parts, b"\n"])


def _change(path: bytes, content: Content) -> bytes:
    quoted = b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
    if isinstance(content, Submodule):
        return b"M 160000 %s %s\n" % (content.commit.encode(), quoted)
    if isinstance(content, Symlink):
        return b"M 120000 inline %s\n" % quoted + _data(content.target.encode())
    if isinstance(content, Executable):
        return b"M 100755 inline %s\n" % quoted + _data(content.content)
    return b"M 100644 inline %s\n" % quoted + _data(content.encode() if isinstance(content, str) else content)


def _data(content: bytes) -> bytes:
    return b"data %d\n" % len(content) + content + b"\n"


def folder_files(folder: Path) -> dict[str | bytes, Content]:
    """The files of a folder, as the tree of one commit."""
    found: dict[str | bytes, Content] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = Symlink(str(path.readlink()))
        elif path.is_file() and ".git" not in path.relative_to(folder).parts:
            found[name] = path.read_bytes()
    return found


def archive_files(archive: Path) -> dict[str | bytes, Content]:
    """The files of a source archive (`name-1.0.tar.gz`), without its top folder. Nothing is written to disk."""
    found: dict[str | bytes, Content] = {}
    with tarfile.open(archive, "r:*") as members:
        for member in members:
            parts = PurePosixPath(member.name).parts[1:]
            if member.isfile() and parts and (stream := members.extractfile(member)) is not None:
                found["/".join(parts)] = stream.read()
    return found


def build_from_archives(target: Path, archives: Iterable[Path], **options: object) -> list[str]:
    """A repository whose commits are the given releases, oldest first."""
    trees = [archive_files(archive) for archive in archives]
    return build_repository(target, trees, **options)  # type: ignore[arg-type]  # handed on as they are


def write_object(repository: Path, kind: str, payload: bytes) -> str:
    """Store an object without git's checks, for trees that no honest tool writes. Returns its id."""
    return git(repository, "hash-object", "-t", kind, "-w", "--stdin", "--literally", stdin=payload).decode().strip()


def commit_tree(repository: Path, tree: str, *, branch: str = "main") -> str:
    """A commit of `tree` (an object id) at `branch`. Returns its id."""
    who = AUTHOR + b" %d +0000" % FIRST_COMMIT_AT
    commit = write_object(
        repository, "commit", b"tree %s\nauthor %s\ncommitter %s\n\nHostile\n" % (tree.encode(), who, who)
    )
    (repository / "refs" / "heads").mkdir(parents=True, exist_ok=True)
    (repository / "refs" / "heads" / branch).write_text(commit + "\n")
    return commit


def tree_payload(entries: Iterable[tuple[str, bytes, str]]) -> bytes:
    """The bytes of a tree object: `(mode, name, object id)` of each entry."""
    return b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)


def tree_bomb(target: Path, *, depth: int = 10, width: int = 10) -> Path:
    """A repository of a few objects that expands to `width ** depth` paths."""
    empty_repository(target)
    oid, mode = write_object(target, "blob", b"bomb\n"), "100644"
    for _ in range(depth):
        oid, mode = write_object(target, "tree", tree_payload((mode, b"d%02d" % i, oid) for i in range(width))), "40000"
    commit_tree(target, oid)
    return target
