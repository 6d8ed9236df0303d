"""What the orchestrator reads from its environment, besides what every service does."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from orchestrator.limits.quotas import Amounts, Quota
from orchestrator.limits.reserving import AnswerLimits
from orchestrator.limits.rules import Resource, Rule, read_rules
from orchestrator.workflow.policy import Thresholds
from runtime.secret_files import Settings


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in text.split(",") if word.strip())


class ServiceSettings(Settings):
    """Where the service listens, and by which names it may be called.

    `allowed_hosts` are host names besides those of loopback, `allowed_origins` pages elsewhere that may change things;
    both separated by commas. `queries_seconds` is how long one database statement of a request may take.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_ORCHESTRATOR_", extra="ignore", frozen=True)
    host: str = "127.0.0.1"
    allowed_hosts: str = ""
    allowed_origins: str = ""
    queries_seconds: float = 4.0

    @property
    def host_names(self) -> frozenset[str]:
        """`allowed_hosts` as a set."""
        return _words(self.allowed_hosts)

    @property
    def origins(self) -> frozenset[str]:
        """`allowed_origins` as a set."""
        return _words(self.allowed_origins)


class IntakeSettings(Settings):
    """Which repositories may be analysed: host names separated by commas; `loopback` adds http on this machine.

    `history_commits` is how many commits back their history may be read.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_INTAKE_", extra="ignore", frozen=True)
    hosts: str = "github.com,gitlab.com,bitbucket.org,codeberg.org"
    loopback: bool = False
    history_commits: int = 10_000

    @property
    def host_names(self) -> frozenset[str]:
        """`hosts` as a set."""
        return _words(self.hosts)


class UploadSettings(Settings):
    """Uploaded archives: how large one may be (bytes), and for how many hours one stays that is not analysed."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_UPLOADS_", extra="ignore", frozen=True)
    bytes: int = Field(default=100_000_000, gt=0)
    keep_hours: float = Field(default=24, gt=0)


class BundleSettings(Settings):
    """Bundles that are imported: how many bytes one may have as it comes, and how many unpacked."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_BUNDLES_", extra="ignore", frozen=True)
    bytes: int = Field(default=500_000_000, gt=0)
    unpacked: int = Field(default=2_000_000_000, gt=0)


class ShadowSettings(Settings):
    """How many shadows a tenant may have at a time, each with all that it made."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_SHADOWS_", extra="ignore", frozen=True)
    kept: int = Field(default=10, gt=0, le=100)  # each has a copy of what is not as it serves


class GithubAppSettings(Settings):
    """The GitHub App by which private repositories are read, for who may read them anyway; none without an `id`.

    `private_key` is its PEM, `api_url` that of github.com or of Enterprise Server (`https://HOST/api/v3`).
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_GITHUB_APP_", extra="ignore", frozen=True)
    id: str = ""
    private_key: SecretStr = SecretStr("")
    api_url: str = "https://api.github.com"


class OfferSettings(Settings):
    """The language models that the assistant is configured with: what the page offers to choose from.

    `deep` is whether questions may be answered in steps, which take many calls of a model. What bounds an answer is
    ai_engine's: here quotas are reserved by it.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_AI_", extra="ignore", frozen=True)
    models: str = ""
    deep: bool = True
    deep_steps: int = Field(default=8, ge=1, le=8)
    deep_tokens: int = Field(default=80_000, ge=1)
    deep_characters: int = Field(default=60_000, ge=1)
    rerank: str = ""

    @property
    def limits(self) -> AnswerLimits:
        """What an answer may take of a quota."""
        bounds = (self.deep_steps, self.deep_tokens, self.deep_characters)
        return AnswerLimits(self.names, bool(self.rerank.strip()), *bounds)

    @property
    def names(self) -> tuple[str, ...]:
        """`models` in their order; the first is the default."""
        return tuple(name.strip() for name in self.models.split(",") if name.strip())

    @property
    def modes(self) -> tuple[Literal["answer", "deep", "extractive"], ...]:
        """The modes that differ here, the default first."""
        if not self.names:
            return ("extractive",)
        return ("answer", "deep", "extractive") if self.deep else ("answer", "extractive")


class AuditSettings(Settings):
    """How long entries of the audit trail are kept, in days, no fewer than thirty; 0 keeps them for ever."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_AUDIT_", extra="ignore", frozen=True)
    keep_days: int = Field(default=400, ge=0)


class RetentionSettings(Settings):
    """After how many days something goes by itself; 0 keeps it until somebody deletes it.

    `repository_days` counts from when a repository was last analysed, asked about or looked at; `ended_days` from the
    end of a session, key, grant, invitation or sharing link; `analysis_days` from when a newer analysis of the same
    repository was asked for that is ready; `conversation_days` from the last question. `analyses` is how many analyses
    of a repository stay that can be searched.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_RETENTION_", extra="ignore", frozen=True)
    repository_days: int = Field(default=0, ge=0)
    ended_days: int = Field(default=0, ge=0)
    analyses: int = Field(default=0, ge=0)
    analysis_days: int = Field(default=0, ge=0)
    conversation_days: int = Field(default=0, ge=0)


class LimitSettings(Settings):
    """How much may be asked for: rules as `user:1200/minute tenant:6000/minute`; an empty text limits nothing.

    `streams` are those open at the same time (`user:100`). `trusted_proxies` are the addresses and networks whose
    `X-Forwarded-For` is believed. Of requests and bytes, `address` is for who has a sharing link.
    Whoever uses their own machine without a sign-in is not limited.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_LIMITS_", extra="ignore", frozen=True)
    requests: str = "address:300/minute key:1200/minute user:1200/minute tenant:6000/minute"
    analyses: str = "key:60/hour user:60/hour tenant:300/hour"
    lookups: str = "key:60/minute user:60/minute tenant:300/minute"
    uploads: str = "key:60/hour user:60/hour tenant:300/hour"
    questions: str = "key:300/hour user:300/hour tenant:1500/hour"
    bytes: str = "address:500000000/hour key:2000000000/hour user:2000000000/hour tenant:10000000000/hour"
    streams: str = "user:100 tenant:1000"
    sign_ins: str = "address:30/minute"
    sign_outs: str = "address:60/minute"
    invitations: str = "user:30/minute"
    switches: str = "user:30/minute"
    refreshes: str = "user:120/minute"
    grants: str = "user:30/minute user:300/day"
    redeliveries: str = "user:60/minute tenant:120/minute"
    pushes: str = "address:600/minute"
    failures: str = "address:60/minute"
    trusted_proxies: str = ""

    @property
    def rules(self) -> Mapping[Resource, tuple[Rule, ...]]:
        """All of them, read. Raises ValueError with a sentence."""
        return {resource: read_rules(resource, getattr(self, resource.name.lower())) for resource in Resource}


class PreflightSettings(Settings):
    """Over which size, time or cost an analysis waits for somebody to confirm it, for `hours`; 0 is no limit.

    `price` is what embedding a million tokens costs, in `currency`; 0 where it is done here.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_PREFLIGHT_", extra="ignore", frozen=True)
    files: int = Field(default=0, ge=0)
    bytes: int = Field(default=0, ge=0)
    minutes: float = Field(default=0, ge=0)
    cost: float = Field(default=0, ge=0)
    price: float = Field(default=0, ge=0)
    currency: str = Field(default="USD", max_length=8)
    hours: float = Field(default=24, gt=0, le=24 * 30)

    @property
    def thresholds(self) -> Thresholds:
        """All of them, as the workflow asks."""
        return Thresholds(**{name: getattr(self, name) for name in Thresholds.__dataclass_fields__})


class PageSettings(Settings):
    """Where the pages listen, and by which further names: they hand on what the local user may do."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_WEB_UI_", extra="ignore", frozen=True)
    host: str = "127.0.0.1"
    allowed_hosts: str = ""

    @property
    def host_names(self) -> frozenset[str]:
        """`allowed_hosts` as a set."""
        return _words(self.allowed_hosts)


class QuotaSettings(Settings):
    """What a tenant may have in all; 0 is as much as it likes. A person's own machine has no quota."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_QUOTA_", extra="ignore", frozen=True)
    running: int = Field(default=20, ge=0)
    repositories: int = Field(default=1_000, ge=0)
    bytes: int = Field(default=0, ge=0)
    questions: int = Field(default=5_000, ge=0)
    tokens: int = Field(default=0, ge=0)
    cents_day: int = Field(default=0, ge=0)
    cents_month: int = Field(default=0, ge=0)

    @property
    def amounts(self) -> Amounts:
        """All of them by what they count."""
        return {quota: getattr(self, quota.name.lower()) for quota in Quota}


class PushHookSettings(Settings):
    """How many bytes a call of a push hook may have: a push of many commits has some megabytes."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_PUSH_HOOKS_", extra="ignore", frozen=True)
    bytes: int = Field(default=5_000_000, gt=0, le=25_000_000)


class WebhookSettings(Settings):
    """`loopback` lets webhooks call this machine, over http too: for trying them out, and for tests."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_WEBHOOKS_", extra="ignore", frozen=True)
    loopback: bool = False
