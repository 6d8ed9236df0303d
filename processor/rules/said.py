"""All that is said of one path by the repository's own rules, and by whoever asked for the analysis."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from processor.languages.detect import language_called
from processor.ports import TreeEntry
from processor.rules.attributes import Attributes, Found
from processor.rules.ignoring import Ignoring

IGNORE, ATTRIBUTES, UNTRACKED = b".repostreamignore", b".gitattributes", b".gitignore"
MAX_BYTES = 65_536  # of one file of rules
MAX_FILES = 1_000
MAX_LINES = 20_000  # of all of them
_FILES = frozenset({"100644", "100755", "100664"})
_TRUE, _FALSE = {True, "true"}, {False, "false"}


@dataclass(frozen=True)
class Said:
    """What is said of one file; None (or empty) where nothing is. `rules` are the lines that say it, by attribute.

    `is_wanted`: whoever asked for the analysis wants it read, whatever else is said.
    """

    ignored: str | None = None
    is_wanted: bool = False
    vendored: bool | None = None
    generated: bool | None = None
    documentation: bool | None = None
    detectable: bool | None = None
    language: str | None = None
    is_binary: bool = False
    is_lfs: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)

    def rule(self, reason: str) -> str:
        """The line for which a file is left out for `reason`; empty where no line says so."""
        return self.ignored or "" if reason == "ignored" else self.rules.get(reason, "")


NOTHING = Said()


class Rules:
    """The rules of one tree. `passed_over` are files of rules that were not read: too large, or too many of them.

    Two with the same `digest` say the same of every path.
    """

    def __init__(
        self, files: Mapping[bytes, bytes], include: Sequence[str] = (), passed_over: Iterable[str] = ()
    ) -> None:
        """`files` of rules by path; `include` are patterns of what is to be read all the same."""
        self._ignoring = [Ignoring(_named(files, name)) for name in (IGNORE, UNTRACKED)]
        self._attributes = Attributes(_named(files, ATTRIBUTES))
        self._wanted = Ignoring({b"include": "\n".join(include).encode()} if include else {})
        self.files = len(files)
        self.digest = _digest(files, include)
        self.passed_over = tuple(passed_over)

    def of(self, path: bytes) -> Said:
        """What is said of the file at `path`."""
        attributes = self._attributes.of(path)
        is_wanted = self._wanted.rule_for(path) is not None
        ignored = next((rule for rules in self._ignoring if (rule := rules.rule_for(path)) is not None), None)
        if not attributes and not is_wanted and ignored is None:
            return NOTHING
        return Said(
            ignored=ignored,
            is_wanted=is_wanted,
            vendored=_flag(attributes.get("linguist-vendored")),
            generated=_flag(attributes.get("linguist-generated")),
            documentation=_flag(attributes.get("linguist-documentation")),
            detectable=_flag(attributes.get("linguist-detectable")),
            language=_language(attributes.get("linguist-language")),
            is_binary=_is_binary(attributes),
            is_lfs=_value(attributes, "filter") == "lfs",
            rules=_lines(attributes),
        )

    def facts(self) -> dict[str, object]:
        """What was read, for people: files, lines that say something, files that were passed over."""
        lines = len(self._attributes) + sum(len(rules) for rules in self._ignoring)
        over = {"passed_over": list(self.passed_over)} if self.passed_over else {}
        return {"files": self.files, "lines": lines, **over}


def read_rules(
    entries: Iterable[TreeEntry],
    read: Callable[[str], bytes | None],
    *,
    include: Sequence[str] = (),
    is_tracked: bool = True,
) -> Rules:
    """The rules in a tree. What is committed is tracked, and `.gitignore` is silent about it, as in git itself.

    `is_tracked` is False for a tree of which nothing says so: then `.gitignore` counts too.
    """
    names = {IGNORE, ATTRIBUTES} | (set() if is_tracked else {UNTRACKED})
    files: dict[bytes, bytes] = {}
    over: list[str] = []
    lines = 0
    for entry in sorted((entry for entry in entries if _is_rules(entry, names)), key=_outer_first):
        content = read(entry.blob_id) if entry.size is not None and entry.size <= MAX_BYTES else None
        lines += content.count(b"\n") + 1 if content is not None else 0
        if content is None or len(files) >= MAX_FILES or lines > MAX_LINES:
            over.append(entry.path.decode("utf-8", "replace"))
        else:
            files[entry.path] = content
    return Rules(files, include, over[:20])


def rule_files_above(folder: str) -> list[str]:
    """Where the rules for what is below `folder` may lie, outside of it."""
    parts = folder.split("/") if folder else []
    above = ["/".join([*parts[:depth], ""]) for depth in range(len(parts))]
    return [f"{base}{name.decode()}" for base in above for name in (IGNORE, ATTRIBUTES)]


def _is_rules(entry: TreeEntry, names: set[bytes]) -> bool:
    return entry.path.rpartition(b"/")[2] in names and entry.mode in _FILES


def _outer_first(entry: TreeEntry) -> tuple[int, bytes]:
    return entry.path.count(b"/"), entry.path


def _named(files: Mapping[bytes, bytes], name: bytes) -> dict[bytes, bytes]:
    return {path: content for path, content in files.items() if path.rpartition(b"/")[2] == name}


def _digest(files: Mapping[bytes, bytes], include: Sequence[str]) -> str:
    digest = sha256(repr(tuple(include)).encode())
    for path, content in sorted(files.items()):
        digest.update(b"%d %d\n" % (len(path), len(content)) + path + content)
    return digest.hexdigest()


def _flag(found: Found | None) -> bool | None:
    value = found.value if found is not None else None
    return True if value in _TRUE else False if value in _FALSE else None


def _value(attributes: Mapping[str, Found], name: str) -> object:
    found = attributes.get(name)
    return found.value if found is not None else None


def _is_binary(attributes: Mapping[str, Found]) -> bool:
    """What the macro `binary` means. `-text` alone says only that line ends stay as they are."""
    return _value(attributes, "text") is False and _value(attributes, "diff") is False


def _language(found: Found | None) -> str | None:
    return language_called(found.value) if found is not None and isinstance(found.value, str) else None


def _lines(attributes: Mapping[str, Found]) -> dict[str, str]:
    names = {"vendored": "linguist-vendored", "generated": "linguist-generated", "binary": "diff"}
    return {reason: attributes[name].rule for reason, name in names.items() if name in attributes}
