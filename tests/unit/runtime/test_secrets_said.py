"""What listens for secrets in the test run itself hears them."""

from pathlib import Path

import pytest

from tests.support.secrets_said import FORMS, in_files

TOKEN = "a1B2" * 10 + "xyz"  # as long as 256 bits are


@pytest.mark.parametrize(
    "secret",
    [
        f"rsk_abcdefgh_{TOKEN}",
        f"rsr_{TOKEN}",
        f"rsi_{TOKEN}",
        f"rsl_{TOKEN}",
        "whsec_" + "a1B2" * 11,
        f"eyJ{TOKEN}.eyJ{TOKEN}.{TOKEN}",
        "ghp_" + "a1B2" * 9,
        "sk-" + "a1B2" * 12,
        "https://somebody:" + "a1B2" * 4 + "@git.test/x",
    ],
)
def test_a_secret_in_a_log_is_found_and_not_repeated(tmp_path: Path, secret: str) -> None:
    (tmp_path / "home" / "logs").mkdir(parents=True)
    (tmp_path / "home" / "logs" / "service.said").write_text(f'{{"event": "asked with {secret} today"}}\n')
    (tmp_path / "home" / "logs" / "other.said").write_text(
        '{"event": "asked with [redacted] and https://git.test/x"}\n'
    )

    [line] = in_files(tmp_path, "*.said")

    assert line.startswith("home/logs/service.said: ")
    assert secret not in line


def test_what_is_no_secret_is_left_alone() -> None:
    for text in ("rsk_abcdefgh", "https://git.test:8080/a@b", "ghp_short", "https://***:***@git.test/", "whsec_…"):
        assert FORMS.search(text.encode()) is None


def test_a_secret_is_found_behind_whatever_ends_a_word() -> None:
    for before in ("", " ", '"', "/join/", "=", "\\n", "\n", "#"):
        assert FORMS.search(f"{before}rsi_{TOKEN}".encode()), before


def test_letters_in_the_middle_of_what_is_sealed_are_no_secret() -> None:
    assert FORMS.search(f"gAAAAB-rsr_{TOKEN}{TOKEN}".encode()) is None
