"""A repository of any number of files, drawn from the real files of some others: the same input, the same files.

Each copy of a file has names of its own, so that no two files, and hardly two passages, are the same. The files come in
an order that their paths' hashes give, so that a few thousand are the mix of all.
"""

import hashlib
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import IO

from events.artifacts import SourceRow
from processor.ports import TreeEntry
from processor.stages.take_sources import Intake, SourceLimits
from tests.support.git_repositories import CLEAN_ENVIRONMENT, empty_repository

_LIMITS = SourceLimits(files=200_000, text_bytes=4_000_000_000)
_MOST_BYTES = 200_000  # of one file: what is larger is rare in every project
_WORD = re.compile(rb"\b[A-Za-z]\w{3,60}\b")
_COMPOUND = re.compile(rb"[a-z0-9]_?[A-Z]|[a-z0-9]_[a-z0-9]")
_KEYWORDS = (b"static_", b"const_", b"dynamic_", b"reinterpret_", b"thread_", b"co_")  # of C++, with an underscore


def draw(sources: Sequence[Path], files: int, target: Path) -> None:
    """A bare repository of so many files."""
    empty_repository(target)
    command = ["git", f"--git-dir={target}", "fast-import", "--quiet", "--force"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=CLEAN_ENVIRONMENT) as process:
        assert process.stdin
        _write(process.stdin, islice(_copies([*_originals(sources)]), files))
    assert process.returncode == 0, "git fast-import failed"
    head = ["git", f"--git-dir={target}", "symbolic-ref", "HEAD", "refs/heads/main"]
    subprocess.run(head, check=True, env=CLEAN_ENVIRONMENT)


def shards_of(repository: Path) -> Iterator[list[SourceRow]]:
    """The text files of a bare repository's head, as the clone stage takes them, a shard at a time."""
    reader = _reader(repository)
    listed = _git(repository, "ls-tree", "-r", "-z", "--long", "HEAD").split(b"\0")
    entries = [_entry(line) for line in listed if line]
    for shard in Intake(_LIMITS).shards(entries, partial(_blob, reader), lambda *_: None):
        yield list(shard.read())
    reader.communicate()


def _entry(line: bytes) -> TreeEntry:
    facts, _, path = line.partition(b"\t")
    mode, _, blob, size = facts.split()
    return TreeEntry(path=path, mode=mode.decode(), blob_id=blob.decode(), size=int(size))


def _originals(sources: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Path and content of each text file of the repositories' heads, in the order of the paths' hashes."""
    found = []
    for source in sources:
        for line in _git(source, "ls-tree", "-r", "-z", "--long", "HEAD").split(b"\0"):
            facts, _, path = line.partition(b"\t")
            mode, _, blob, size = facts.split() if facts else (b"", b"", b"", b"0")
            if mode.startswith(b"100") and 0 < int(size) <= _MOST_BYTES:
                found.append((f"{source.stem}/{path.decode(errors='replace')}", source, blob.decode()))
    found.sort(key=lambda item: hashlib.sha256(item[0].encode(errors="replace")).digest())
    readers = {source: _reader(source) for source in sources}
    for path, source, blob in found:
        content = _blob(readers[source], blob)
        if b"\0" not in content:
            yield path, content
    for reader in readers.values():
        reader.communicate()


def _reader(source: Path) -> subprocess.Popen[bytes]:
    command = ["git", f"--git-dir={source}", "cat-file", "--batch"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=CLEAN_ENVIRONMENT)


def _blob(reader: subprocess.Popen[bytes], name: str) -> bytes:
    assert reader.stdin
    assert reader.stdout
    reader.stdin.write(name.encode() + b"\n")
    reader.stdin.flush()
    size = int(reader.stdout.readline().split()[2])
    return reader.stdout.read(size + 1)[:size]


def _git(repository: Path, *arguments: str) -> bytes:
    command = ["git", f"--git-dir={repository}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, env=CLEAN_ENVIRONMENT).stdout


def _copies(originals: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The files, again and again, each time under other names."""
    for number in count():
        ending = b"c%d" % number
        for path, content in originals:
            yield f"part{number:03}/{path}", renamed(content, ending)


def renamed(content: bytes, ending: bytes) -> bytes:
    """A text whose compound names (`read_line`, `readLine`) end in something of their own."""

    def other(found: re.Match[bytes]) -> bytes:
        word = found[0]
        if _COMPOUND.search(word) is None or word.startswith(_KEYWORDS):
            return word
        return word + (b"_" if b"_" in word else b"") + ending

    return _WORD.sub(other, content)


def _write(stream: IO[bytes], files: Iterable[tuple[str, bytes]]) -> None:
    who = b"Ada Example <ada@example.org> 1700000000 +0000"
    stream.write(b"commit refs/heads/main\ncommitter %s\ndata 5\nDrawn\n" % who)
    for path, content in files:
        quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        stream.write(b'M 100644 inline "%s"\ndata %d\n' % (quoted.encode(), len(content)) + content + b"\n")
