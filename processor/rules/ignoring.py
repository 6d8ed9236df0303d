"""Which paths are ignored, by files of patterns in any folder, as `git check-ignore` has it."""

from collections.abc import Mapping

from processor.rules.patterns import Patterns, folders_above


class Ignoring:
    """The patterns of a tree: those of a deeper folder count more, later ones count more, a folder takes all below."""

    def __init__(self, files: Mapping[bytes, bytes]) -> None:
        """`files` by their paths from the top, each named like `.gitignore`."""
        self._files: dict[bytes, tuple[bytes, Patterns]] = {}
        for path, content in files.items():
            folder = path[: path.rfind(b"/") + 1]
            self._files[folder] = (path, Patterns(lines_of(content)))
        self._folders: dict[bytes, str | None] = {}

    def __len__(self) -> int:
        return sum(len(patterns) for _, patterns in self._files.values())

    def rule_for(self, path: bytes) -> str | None:
        """The rule (`docs/.gitignore:3`) for which the file at `path` is ignored, or None."""
        if not self._files:
            return None
        folder = path[: path.rstrip(b"/").rfind(b"/") + 1]
        return (self._folder(folder) if folder else None) or self._said_of(path)

    def _folder(self, folder: bytes) -> str | None:
        if folder not in self._folders:
            self._folders[folder] = self.rule_for(folder)
        return self._folders[folder]

    def _said_of(self, path: bytes) -> str | None:
        """What the nearest file with a pattern for exactly this path says."""
        for base in folders_above(path):
            if (found := self._files.get(base)) is not None and (matched := found[1].matching(path[len(base) :])):
                name, last = found[0].decode("utf-8", "replace"), matched[-1]
                return None if last in found[1].negated else f"{name}:{last + 1}"
        return None


def lines_of(content: bytes) -> list[bytes]:
    """The lines of a file of rules, without their ends."""
    return [line.removesuffix(b"\r") for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
