"""What a `.env` sets keys and passwords to is not said; what only stands for one is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.redaction import MARK, redact_lines, secrets_of

SECRETS = {
    "DB_PASSWORD=hunter22": "hunter22",
    "export API_TOKEN=deadbeef99 # of the shop": "deadbeef99",
    "SECRET_KEY_BASE=aaaabbbbccccddddeeeeffff": "aaaabbbbccccddddeeeeffff",
    "stripe_secret = whatever1": "whatever1",
    "DB_PASSWORD='correct horse # battery'": "correct horse # battery",
    "SMTP_PASSWORD=two words\t # said": "two words",
    "# OLD_PASSWORD=hunter22": "hunter22",
    "APP_KEY=base64:q2w3e4r5": "base64:q2w3e4r5",
    "SIGNING_KEY_2=Zebra7crossing": "Zebra7crossing",
    "ADMIN_PASSWD=pa#ss$word": "pa#ss$word",
    "MAIL_PASSWORD=$2b$12$abcdefgh": "$2b$12$abcdefgh",
}
NO_SECRETS = (
    "SHOW_PASSWORD=enabled",
    'REQUIRE_PASSWORD="yes, always"',
    "PRIMARY_KEY=userId",
    "MAX_TOKEN=100000000",
    "HOTKEY=Ctrl+Shift+P",
    "DB_PASSWORD=", "DB_PASSWORD=''", "DB_PASSWORD=changeme", "DB_PASSWORD=change-me-please", "DB_PASSWORD=${DB_PASS}",
    "API_KEY=$API_KEY", "API_KEY=$(pass show api)", "API_KEY=<your key>", "API_KEY=your-api-key-here",
    "API_KEY=xxxxxxxx", "API_KEY={{ api_key }}", "API_KEY=%API_KEY%", "API_KEY=...", "API_KEY=None",
    "SSH_KEY=~/.ssh/id_ed25519",
    "TLS_KEY=./certs/server.key", "TLS_KEY=/etc/ssl/key.pem", "VAPID_PUBLIC_KEY=B1c2D3e4F5g6H7", "MAX_TOKEN=4096",
    "SORT_KEY=created_at", "CACHE_KEY=my-app.pages", "POSTGRES_PASSWORD=postgres", "PASSWORD=password",
    "AUTH_SECRET=supersecret",
    "STRIPE_PUBLISHABLE_KEY=live9A8b7C6d", "KEYBOARD=qwerty12", "PASSWORD_LENGTH=12345678", "TOKENS=abc12345678",
    "API_TOKEN= # none yet", "WHERE=DB_PASSWORD=x1y2z3a4",
)  # fmt: skip


@pytest.mark.parametrize(("line", "secret"), SECRETS.items())
@pytest.mark.parametrize("path", [".env", "deploy/.env.production", "prod.env", ".envrc", ".flaskenv", ".env-local"])
def test_what_is_set_is_not_said(line: str, secret: str, path: str) -> None:
    text = f"A=1\r\n{line}\r\nB=2"

    assert redact_lines(text, path) == text.replace(secret, MARK)
    assert secrets_of(text, path) == (secret,)


@pytest.mark.parametrize("line", NO_SECRETS)
def test_what_only_stands_for_a_secret_is_said(line: str) -> None:
    assert redact_lines(line, ".env") == line
    assert secrets_of(line, ".env") == ()


@pytest.mark.parametrize(
    "path", ["", "env", "settings.py", "src/config.env.ts", "config.env.rb", ".env.md", "environment", ".envelope"]
)
def test_only_files_of_variables_are_judged_so(path: str) -> None:
    assert redact_lines("DB_PASSWORD=hunter22", path) == "DB_PASSWORD=hunter22"


def test_a_file_that_shows_what_to_set_is_believed_but_for_what_was_drawn() -> None:
    text = "DB_PASSWORD=hunter22\nAPI_KEY=q8Wm2Zr5Tn7Kx3Vb9Lp4\n"

    assert redact_lines(text, ".env.example") == f"DB_PASSWORD=hunter22\nAPI_KEY={MARK}\n"


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=30), max_size=8), st.integers(0, 8))
def test_lines_stay_and_each_is_judged_alone(lines: list[str], at: int) -> None:
    lines.insert(at, "DB_PASSWORD=hunter22")
    told = redact_lines("\n".join(lines), ".env").split("\n")

    assert len(told) == len(lines)
    assert told == [redact_lines(line, ".env") for line in lines]


def test_what_is_hostile_takes_no_longer() -> None:
    text = "A_KEY" * 40_000 + "\n" + "KEY=a \t" * 40_000 + "\n" + "T_TOKEN=" * 40_000
    began = time.process_time()
    redact_lines(text, ".env")

    assert time.process_time() - began < 3
