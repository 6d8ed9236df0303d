"""What an archive may be, and how it is refused. Pure."""

from dataclasses import asdict, dataclass

from processor.manifests.registry import format_of

MAX_LEVELS = 64
_FREE = 1_000_000  # bytes that may come out of next to nothing


class Refused(Exception):
    """The archive is not read. `code` is stable and documented; the sentence says what a person can do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class ArchiveLimits:
    """Of one archive. `total_bytes` is what its members may come to, counted as they are read, never as they claim.

    `keep_bytes` is from which size on a member is hashed and counted only, `manifest_bytes` the same of manifests and
    lock files. `cpu_seconds` and `memory_bytes` are the reading process's, `seconds` are by the clock.
    """

    total_bytes: int = 500_000_000
    entries: int = 50_000
    ratio: int = 200
    keep_bytes: int = 1_048_576
    manifest_bytes: int = 1_048_576
    seconds: float = 300.0
    cpu_seconds: int = 120
    memory_bytes: int = 1 << 30

    def keeps(self, path: str, size: int) -> bool:
        """Whether the content of a member is kept."""
        return size < self.keep_bytes or (size < self.manifest_bytes and format_of(path) is not None)

    def to_json(self) -> dict[str, float]:
        """As the reading process is told them."""
        return asdict(self)


@dataclass
class Meter:
    """Counts what comes out of an archive, and refuses what is beyond the limits."""

    limits: ArchiveLimits
    total: int = 0
    entries: int = 0

    def entry(self) -> None:
        """One member more. Raises Refused."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise Refused(
                "archive_too_many_entries",
                f"The archive has more than {self.limits.entries:,} members: upload a part of it.",
            )

    def out(self, count: int) -> None:
        """So many bytes more came out. Raises Refused."""
        self.total += count
        if self.total > self.limits.total_bytes:
            raise Refused(
                "archive_too_large",
                f"The archive unpacks to more than {self.limits.total_bytes // 1_000_000:,} MB: upload a part of it.",
            )

    def check_ratio(self, packed: int, unpacked: int) -> None:
        """Refuse what unpacks to far more than anybody's sources do."""
        if unpacked > _FREE and unpacked > packed * self.limits.ratio:
            raise Refused(
                "archive_ratio",
                f"The archive unpacks to more than {self.limits.ratio} times its size, as no sources do: "
                "upload the files themselves, packed in the usual way.",
            )


def damaged(why: str) -> Refused:
    """That the archive cannot be read to its end."""
    return Refused("archive_damaged", f"The archive is damaged ({why}): pack it again and upload that.")


def trailing() -> Refused:
    """That there is something behind the end."""
    return Refused(
        "archive_trailing_data",
        "There is something behind the end of the archive, which would not be read: pack it again and upload that.",
    )


def special(name: str, what: str) -> Refused:
    """That a member is no file, folder or symbolic link."""
    return Refused("archive_special_member", f"“{name}” is {what}, and no plain file: leave it out and upload again.")
