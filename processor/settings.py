"""What the processor reads from its environment, besides what every service does."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from runtime.secret_files import Settings


class IntakeSettings(Settings):
    """Which repositories may be read: host names separated by commas; `loopback` adds http on this machine.

    `forges` are the kinds of those hosts whose API says how large a repository is (`host=kind`, separated by commas).
    `proxy` is an egress proxy (`http://host:port`) that resolves names and guards in our place; `ca_file` has the
    certificates to trust instead of the system's. The limits are those of one repository; `archive_bytes` and
    `archive_entries` those of one upload, unpacked; `wanted_bytes` that of one file that somebody wants read,
    `manifest_bytes` of one manifest or lock file; those of `history` of reading its past: commits, seconds, bytes.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_INTAKE_", extra="ignore", frozen=True)
    hosts: str = "github.com,gitlab.com,bitbucket.org,codeberg.org"
    forges: str = "github.com=github,gitlab.com=gitlab,codeberg.org=gitea,bitbucket.org=bitbucket"
    loopback: bool = False
    proxy: str = ""
    ca_file: Path | None = None
    clone_seconds: float = 300.0
    clone_bytes: int = 500_000_000
    tree_entries: int = 200_000
    files: int = 50_000
    text_bytes: int = 200_000_000
    archive_bytes: int = 500_000_000
    archive_entries: int = 50_000
    wanted_bytes: int = Field(default=8_388_608, ge=1_048_576, le=67_108_864)
    manifest_bytes: int = Field(default=16_777_216, ge=1_048_576, le=67_108_864)
    history_commits: int = 10_000
    history_seconds: float = 180.0
    history_bytes: int = 300_000_000

    @property
    def host_names(self) -> frozenset[str]:
        """`hosts` as a set."""
        return frozenset(name.strip().lower() for name in self.hosts.split(",") if name.strip())


class ProcessorSettings(Settings):
    """How much is done side by side. `parsers` 0 means one for each processor core; `work` empty `<home>/work`."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_PROCESSOR_", extra="ignore", frozen=True)
    clones: int = 2
    readers: int = 2
    parsers: int = 0
    work: Path | None = None
