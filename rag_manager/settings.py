"""What rag_manager reads from its environment."""

from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from runtime.secret_files import Settings


class RagSettings(Settings):
    """How much it does side by side, what it keeps, and for how long."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_RAG_", extra="ignore", frozen=True)
    index_slots: int = 2
    embed_slots: int = 2
    activate_slots: int = 2
    refine_slots: int = 1
    lexicon_cache_bytes: int = 2_000_000_000  # of unpacked lexical indexes on disk
    catalogue_chunks: int = 250_000  # chunks whose places are held in memory, about 1 KB each
    generation_grace: float = 120.0  # seconds that a replaced generation is still there, for searches under way
    model_grace: float = 86_400.0  # seconds that one of another model is kept after it was replaced
    analysis_grace: float = 86_400.0  # seconds that a replaced analysis can still be searched by its id
    janitor_interval: float = 30.0
    probe_interval: float = 300.0  # seconds between two checks that the collections in use are whole


class EmbedderSettings(Settings):
    """What embeds for the full generations: the local model, or one behind HTTP; then passages leave this machine.

    `provider`: `openai` (or whoever speaks its protocol, at `base_url`) or `voyage`. `resize`: the provider is asked
    for vectors of that `dimension`. `revision` tells models of one name apart. `price`: dollars for a million tokens.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_EMBEDDER_", extra="ignore", frozen=True)
    provider: Literal["local", "openai", "voyage"] = Field("local", validation_alias="REPOSTREAM_EMBEDDER")
    model: str = Field("", max_length=200, validate_default=True)
    dimension: int = Field(0, ge=0, le=8_192, validate_default=True)
    resize: bool = False
    revision: str = Field("", max_length=40)
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    batch: int = Field(128, ge=1, le=2_048)  # texts of one request
    batch_tokens: int = Field(100_000, ge=1)
    text_tokens: int = Field(8_000, ge=1)  # of one text; the rest of it is not embedded
    deadline: float = Field(120.0, gt=0)  # seconds for one request, all its attempts included
    price: float = Field(0.0, ge=0, validation_alias="REPOSTREAM_PREFLIGHT_PRICE")

    @property
    def is_remote(self) -> bool:
        """Whether passages leave this machine."""
        return self.provider != "local"

    @field_validator("model", "dimension")
    @classmethod
    def _is_said(cls, value: str | int, info: ValidationInfo) -> str | int:
        if not value and info.data.get("provider", "local") != "local":
            raise ValueError("is needed where REPOSTREAM_EMBEDDER is not local")
        return value


class FormerEmbedderSettings(EmbedderSettings):
    """What embedded before: questions of generations that it made go on being embedded by it, while they serve.

    The local model need not be named.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_FORMER_EMBEDDER_", extra="ignore", frozen=True)
    provider: Literal["local", "openai", "voyage"] = Field("local", validation_alias="REPOSTREAM_FORMER_EMBEDDER")
