"""The one reader of secrets: each from the environment, from a file that a variable names, or from a mounted folder.

For a setting `REPOSTREAM_X` that is a `SecretStr`, the first of these that has a value wins: `REPOSTREAM_X`,
the file named by `REPOSTREAM_X_FILE`, the file `REPOSTREAM_X` (or `repostream_x`) in `REPOSTREAM_SECRETS_DIR`.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from pydantic_settings.exceptions import SettingsError

from runtime.redaction import hide

FOLDER = "REPOSTREAM_SECRETS_DIR"
_MOST_BYTES = 65_536  # a chain of certificates with its key is a tenth of that
_log = structlog.get_logger(__name__)


class Kind(StrEnum):
    """Where a value comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    UNSET = "unset"


@dataclass(frozen=True)
class Origin:
    """Where the value of a secret comes from: `name` is the variable, `path` the file."""

    kind: Kind
    name: str
    path: Path | None = None


class Settings(BaseSettings):
    """Settings whose secrets are also read from files. The base of every settings class here."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given by the caller, else secrets, else the environment."""
        return init_settings, _Secrets(settings_cls), env_settings


class _Secrets(PydanticBaseSettingsSource):
    """The fields that are SecretStr."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value = _value_of(origin_of(self.settings_cls, field_name)) if _is_secret(field) else None
        return value or None, _key(field, field_name), False

    def __call__(self) -> dict[str, Any]:
        found = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {key: value for value, key, _ in found if value is not None}


class Secret:
    """One secret setting, read again where its file has changed: what uses it asks each time."""

    def __init__(self, settings: type[BaseSettings], field: str) -> None:
        """`field` is a SecretStr of `settings`. Raises SettingsError where a file is named that cannot be read."""
        self._origin = origin_of(settings, field)
        default = settings.model_fields[field].get_default()
        self._value = _value_of(self._origin) or (default.get_secret_value() if isinstance(default, SecretStr) else "")
        self._stamp = _stamp(self._origin.path)

    def __call__(self) -> str:
        """Its value at this moment. A file that cannot be read (it is just being replaced) leaves the last one."""
        stamp = _stamp(self._origin.path)
        if stamp is not None and stamp != self._stamp:
            try:
                self._value = _value_of(self._origin)
                self._stamp = stamp
                _log.info("secret_read_again", setting=self._origin.name)
            except SettingsError as error:
                _log.warning("secret_unreadable", setting=self._origin.name, error=str(error))
        return self._value


def names_of(settings: type[BaseSettings], field: str) -> tuple[str, ...]:
    """The environment variables that set a field, the first that has a value winning."""
    alias = settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    if isinstance(alias, str):
        return (alias,)
    return (f"{settings.model_config.get('env_prefix') or ''}{field}".upper(),)


def secrets_of(settings: type[BaseSettings]) -> tuple[str, ...]:
    """The fields of a class that are secrets."""
    return tuple(name for name, field in settings.model_fields.items() if _is_secret(field))


def origin_of(settings: type[BaseSettings], field: str) -> Origin:
    """Where the value of a secret setting comes from. Reads no file."""
    names = names_of(settings, field)
    for name in names:
        if os.environ.get(name):
            return Origin(Kind.ENVIRONMENT, name)
    for name in names:
        if named := os.environ.get(f"{name}_FILE"):
            return Origin(Kind.FILE, f"{name}_FILE", Path(named))
    if folder := os.environ.get(FOLDER):
        for path in (Path(folder) / spelled for name in names for spelled in (name, name.lower())):
            if path.is_file():
                return Origin(Kind.FILE, names[0], path)
    return Origin(Kind.UNSET, names[0])


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr


def _key(field: FieldInfo, name: str) -> str:
    alias = field.validation_alias
    first = alias.choices[0] if isinstance(alias, AliasChoices) else alias
    return first if isinstance(first, str) else name


def _value_of(origin: Origin) -> str:
    value = ""
    if origin.kind is Kind.ENVIRONMENT:
        value = os.environ[origin.name]
    elif origin.path is not None:
        value = _read(origin.name, origin.path)
    if value:
        hide(value)
    return value


def _read(name: str, path: Path) -> str:
    """The text of a secret's file, without the newline at its end."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}") from None
    if len(content) > _MOST_BYTES:
        raise SettingsError(f"{name}: {path} is larger than any secret ({_MOST_BYTES} bytes)")
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: {path} is no text") from None
    if "\0" in text:
        raise SettingsError(f"{name}: {path} is no text")
    return text


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found is not None else None
