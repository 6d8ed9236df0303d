"""What is configured of how people sign in."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.secret_files import Settings


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in text.split(",") if word.strip())


class SignInSettings(Settings):
    """How people come in. `local_sign_in` is for an installation on one machine, and refused wherever others are."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_", extra="ignore", frozen=True)
    local_sign_in: bool = False
    keys_rotate_days: float = Field(default=30, gt=0.5)  # how long one key signs session tokens


class PeopleSettings(Settings):
    """Where people find the pages, who administrates, and how long a session lasts.

    `public_url` is the pages' own address, `administrators` are `provider:id` separated by commas (`github:583231`).
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_", extra="ignore", frozen=True)
    public_url: str = ""
    administrators: str = ""
    session_days: float = Field(default=7, gt=0, le=90)
    session_idle_hours: float = Field(default=24, gt=0)

    @property
    def administrator_names(self) -> frozenset[str]:
        """`administrators` as a set."""
        return frozenset(word.strip() for word in self.administrators.split(",") if word.strip())


class GitHubSettings(Settings):
    """The OAuth app at GitHub, or at the Enterprise server at `url`; none without a `client_id`.

    `users` (ids or logins) and `organisations` are who may come in, separated by commas; both empty lets in anybody.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_GITHUB_", extra="ignore", frozen=True)
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    url: str = "https://github.com"
    users: str = ""
    organisations: str = ""

    @property
    def user_names(self) -> frozenset[str]:
        """`users` as a set."""
        return _words(self.users)

    @property
    def organisation_names(self) -> frozenset[str]:
        """`organisations` as a set."""
        return _words(self.organisations)


class OpenIdSettings(Settings):
    """A client at an OpenID Connect provider; none without an `issuer`. `users` are the `sub` of who may come in."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_OIDC_", extra="ignore", frozen=True)
    issuer: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    label: str = "single sign-on"
    users: str = ""

    @property
    def subjects(self) -> frozenset[str]:
        """`users` as a set; a subject's case matters."""
        return frozenset(word.strip() for word in self.users.split(",") if word.strip())
