"""Secrets come from the environment or from files, and those in files may be replaced while we run."""

import os
from pathlib import Path

import pytest
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from runtime.redaction import redact
from runtime.secret_files import Kind, Secret, Settings, origin_of, secrets_of
from runtime.settings import DatabaseSettings


class SampleSettings(Settings):
    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_SAMPLE_", extra="ignore", frozen=True)
    key: SecretStr = SecretStr("default")
    plain: str = ""
    other: SecretStr = Field(SecretStr(""), validation_alias=AliasChoices("REPOSTREAM_SAMPLE_OTHER", "OTHER_SECRET"))


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("REPOSTREAM_", "OTHER_"))]:
        monkeypatch.delenv(name)


def test_a_variable_names_the_file_of_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REPOSTREAM_DATABASE_URL_FILE", str(_write(tmp_path / "url", "postgresql://u:p@h/d\n")))

    assert DatabaseSettings().url.get_secret_value() == "postgresql://u:p@h/d"


@pytest.mark.parametrize("name", ["REPOSTREAM_SAMPLE_OTHER", "repostream_sample_other", "OTHER_SECRET"])
def test_a_mounted_folder_has_a_file_for_each_secret(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _write(tmp_path / name, "from the folder")
    monkeypatch.setenv("REPOSTREAM_SECRETS_DIR", str(tmp_path))

    assert SampleSettings().other.get_secret_value() == "from the folder"
    assert origin_of(SampleSettings, "other").path == tmp_path / name


def test_environment_wins_over_a_named_file_and_that_over_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _write(tmp_path / "REPOSTREAM_SAMPLE_KEY", "folder")
    monkeypatch.setenv("REPOSTREAM_SECRETS_DIR", str(tmp_path))
    seen = [SampleSettings().key.get_secret_value()]
    monkeypatch.setenv("REPOSTREAM_SAMPLE_KEY_FILE", str(_write(tmp_path / "named", "named")))
    seen.append(SampleSettings().key.get_secret_value())
    monkeypatch.setenv("REPOSTREAM_SAMPLE_KEY", "environment")
    seen.append(SampleSettings().key.get_secret_value())

    assert seen == ["folder", "named", "environment"]
    assert origin_of(SampleSettings, "key").kind is Kind.ENVIRONMENT


def test_what_is_no_secret_is_not_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REPOSTREAM_SAMPLE_PLAIN_FILE", str(_write(tmp_path / "plain", "text")))

    assert SampleSettings().plain == ""
    assert secrets_of(SampleSettings) == ("key", "other")
    assert SampleSettings().key.get_secret_value() == "default"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_refused_without_its_content(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    monkeypatch.setenv("REPOSTREAM_SAMPLE_KEY_FILE", str(path))

    with pytest.raises(SettingsError, match="REPOSTREAM_SAMPLE_KEY_FILE"):
        SampleSettings()


def test_a_named_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REPOSTREAM_SAMPLE_KEY_FILE", str(tmp_path / "none"))

    with pytest.raises(SettingsError, match="cannot be read"):
        Secret(SampleSettings, "key")


def test_a_secret_is_read_again_where_its_file_was_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _write(tmp_path / "key", "the first value")
    monkeypatch.setenv("REPOSTREAM_SAMPLE_KEY_FILE", str(path))
    secret = Secret(SampleSettings, "key")
    seen = [secret()]

    _write(tmp_path / "next", "the second value").replace(path)
    seen.append(secret())
    path.unlink()
    seen.append(secret())
    _write(path, "the third value")
    seen.append(secret())

    assert seen == ["the first value", "the second value", "the second value", "the third value"]


def test_a_secret_that_was_read_is_in_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSTREAM_SAMPLE_KEY", "a value of no known shape")

    settings = SampleSettings()

    assert redact("got: a value of no known shape") == "got: [redacted]"
    assert "no known shape" not in repr(settings)


def test_a_secret_without_a_file_is_its_variable_or_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Secret(SampleSettings, "key")() == "default"
    monkeypatch.setenv("OTHER_SECRET", "by its other name")
    assert Secret(SampleSettings, "other")() == "by its other name"
