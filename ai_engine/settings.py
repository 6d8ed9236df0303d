"""What ai_engine reads from its environment."""

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.secret_files import Settings


class AiSettings(Settings):
    """Language models. Nothing leaves the machine unless `models` names one.

    `models`: `openai:<name>`, `anthropic:<name>`, separated by commas; the first is the default, and the next ones
    answer in their order where it cannot. Empty: extractive.
    """

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_AI_", extra="ignore", frozen=True)
    models: str = ""
    prices: str = ""  # dollars for a million tokens in and out: `openai:<name>=2.5/10`, separated by commas
    openai_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("REPOSTREAM_AI_OPENAI_API_KEY", "OPENAI_API_KEY")
    )
    openai_base_url: str = ""
    anthropic_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("REPOSTREAM_AI_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY")
    )
    anthropic_base_url: str = ""
    deadline: float = 120.0  # seconds for one answer, retries included
    deep_deadline: float = 240.0  # seconds for one in steps
    deep_steps: int = Field(default=8, ge=1, le=8)
    deep_tokens: int = Field(default=80_000, ge=1)  # of all the model's calls before it must answer
    deep_characters: int = Field(default=60_000, ge=1)  # of all that the tools gave
    deep_seconds: float = Field(default=150.0, gt=0)  # of all steps
    rerank: str = ""  # `openai:<name>` or `anthropic:<name>`: orders what was found, before a model is asked
    rerank_seconds: float = Field(default=4.0, gt=0)  # then it stays as it was
    slots: int = 16  # answers at a time: they wait for a model, mostly
