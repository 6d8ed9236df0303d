"""Settings, one small class per concern, read from the environment (`REPOSTREAM_…`), secrets from files too.

Only a service's `app.py` and the command line read them; everything else is handed what it needs.
"""

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.secret_files import Settings


def _config(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(env_prefix=f"REPOSTREAM_{prefix}", extra="ignore", frozen=True)


class HomeSettings(Settings):
    """The one folder of an installation: servers' data, artifacts, models, logs."""

    model_config = _config("")
    home: Path = Field(default_factory=lambda: user_data_path("repostream"))


class DatabaseSettings(Settings):
    """PostgreSQL. `url` is `postgresql://user:password@host:port/name`; empty means the embedded server.

    `requests_url` is what the orchestrator answers requests with; empty means `url`, whose user then takes the role.
    """

    model_config = _config("DATABASE_")
    url: SecretStr = SecretStr("")
    requests_url: SecretStr = SecretStr("")
    pool_size: int = 15  # made when first wanted, then kept
    max_overflow: int = 0  # each of these is made and closed for one transaction: under load that costs the most
    pool_timeout: float = 5.0  # seconds to wait for a connection before the caller is told to come back


class BrokerSettings(Settings):
    """Redis or Valkey. `url` is `redis://:password@host:port/0`; empty means the embedded server."""

    model_config = _config("REDIS_")
    url: SecretStr = SecretStr("")


class ChromaSettings(Settings):
    """The Chroma server. `url` is `http://host:port`; empty means the embedded server."""

    model_config = _config("CHROMA_")
    url: SecretStr = SecretStr("")
    timeout: float = 10.0  # seconds; the client's own default is none at all


class ObjectStoreSettings(Settings):
    """Where artifacts live: `file:///…`, `s3://bucket/prefix`, `gs://…`, `az://…`; empty means `<home>/objects`."""

    model_config = _config("OBJECTS_")
    url: str = ""


class ModelSettings(Settings):
    """The folder with the local embedding models; empty means `<home>/models`."""

    model_config = _config("MODELS_")
    folder: Path | None = None


class InternalSettings(Settings):
    """Where the services reach each other."""

    model_config = _config("INTERNAL_")
    orchestrator_url: str = "http://127.0.0.1:8001"
    processor_url: str = "http://127.0.0.1:8002"
    ai_engine_url: str = "http://127.0.0.1:8003"
    rag_manager_url: str = "http://127.0.0.1:8004"

    @property
    def urls(self) -> dict[str, str]:
        """The address of each service that others ask, by its name."""
        return {name.removesuffix("_url"): str(url).rstrip("/") for name, url in self}


class ServiceKeySettings(Settings):
    """How the services know each other (`runtime/service_tokens.py`); `up` makes the keys of its own."""

    model_config = _config("SERVICE_")
    key: SecretStr = SecretStr("")  # this service's own private key
    public_keys: str = ""  # those of all services: name:key,name:key


class SecretSettings(Settings):
    """What seals the secrets that are stored (`runtime/sealing.py`); `up` keeps one in its home folder."""

    model_config = _config("SECRET_")
    key: SecretStr = SecretStr("")


class TraceSettings(Settings):
    """Where spans are sent: `url` is a collector's (`http://host:4317`, OTLP over gRPC); empty: nowhere."""

    model_config = _config("TRACES_")
    url: str = ""


class LogSettings(Settings):
    """`json` for machines, `console` for people."""

    model_config = _config("LOG_")
    format: str = "json"
    level: str = "INFO"
