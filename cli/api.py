"""Where the API answers, and what its errors mean for a command."""

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from cli.exits import UNREACHABLE, USAGE
from cli.home import Home
from runtime.client import ApiError, Client
from runtime.client.client import local_problem
from runtime.secret_files import Settings
from runtime.settings import HomeSettings, InternalSettings


class KeySettings(Settings):
    """The API key that commands show, where people sign in; on one's own machine none is needed."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_", extra="ignore", frozen=True)
    api_key: SecretStr = SecretStr("")


def api_url() -> str:
    """Where the orchestrator answers: as configured, else where the running `up` says, else its usual port."""
    if configured := configured_services().get("orchestrator"):
        return configured
    running = Home(HomeSettings().home).running()
    return running.api if running and running.api else InternalSettings().orchestrator_url


def configured_services() -> dict[str, str]:
    """The addresses of services that settings name, by the services' names; none where only `up` knows them."""
    settings = InternalSettings()
    return {name: url for name, url in settings.urls.items() if f"{name}_url" in settings.model_fields_set}


def connect(url: str | None = None) -> Client:
    """A client of the orchestrator at `url`, by default where `api_url` says."""
    url = url or api_url()
    hint = f"Nothing answers at {url}: start it with `repostream up`, or add --up where the command has it."
    return Client(url, authorization=_credential, hint=hint)


def _credential() -> str | None:
    key = KeySettings().api_key.get_secret_value()
    return f"Bearer {key}" if key else None


def refusal(code: str, detail: str) -> ApiError:
    """A command's own refusal of what it was given, told as the API tells its own."""
    return ApiError(local_problem(code, detail, detail, 422))


def broken_off(detail: str) -> ApiError:
    """That what was listened to ended too early."""
    return ApiError(local_problem("orchestrator_unreachable", detail, detail, 502))


def exit_code_of(error: ApiError) -> int:
    """What was called wrongly is the caller's to mend; all else is that nothing (sensible) answers."""
    return USAGE if 400 <= error.problem.status < 500 else UNREACHABLE
