"""Whatever looks like a credential, or is known to be one, is not said."""

import base64
import json
import logging
import time
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from runtime.logging import configure_logging
from runtime.redaction import hidden, redact, redact_all, redact_lines

_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"
_LONG = "A1b2C3d4E5f6G7h8J9k0"
_JWT = "eyJhbGciOiJSUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTYifQ." + "c2lnbmF0dXJlLW9mLWl0"
SECRETS = {
    "password of an address": ("redis://:hunter2@host:1/0", "hunter2"),
    "password with an at sign": ("postgresql://u:p@ss@host/db", "p@ss"),
    "token as the user of an address": (f"https://{_LONG}@github.com/a/b", _LONG),
    "GitHub, personal": ("token gh" + f"p_{_LONG}{_LONG} refused", _LONG),
    "GitHub, fine-grained": ("github" + f"_pat_{_LONG}_{_LONG}", _LONG),
    "GitHub, an installation's, long": ("ghs" + f"_123456_{_JWT}", _JWT),
    "GitHub, a user's": ("gh" + f"u_{_LONG}", _LONG),
    "GitLab": ("glp" + f"at-{_LONG}", _LONG),
    "Bitbucket": ("ATB" + f"B{_LONG}", _LONG),
    "OpenAI": ("sk" + f"-proj-{_LONG}", _LONG),
    "Anthropic": ("sk" + f"-ant-api03-{_LONG}", _LONG),
    "our own key": ("rsk" + f"_{_LONG}.{_LONG}", _LONG),
    "Slack": ("xox" + f"b-{_LONG}", _LONG),
    "Stripe": ("sk" + f"_live_{_LONG}", _LONG),
    "Stripe, restricted": ("rk" + f"_live_{_LONG}", _LONG),
    "npm": ("npm" + f"_{_LONG}{_LONG}", _LONG),
    "PyPI": ("pypi" + f"-AgEIcHlwaS5vcmc{_LONG}", _LONG),
    "Hugging Face": ("hf" + f"_{_LONG}{_LONG}", _LONG),
    "SendGrid": ("SG" + f".{_LONG}.{_LONG}", _LONG),
    "Google, a client's": ("GOCSPX" + f"-{_LONG}", _LONG),
    "DigitalOcean": ("dop" + f"_v1_{_LONG.lower()}", _LONG.lower()),
    "Shopify": ("shp" + f"at_{_LONG.lower()}", _LONG.lower()),
    "Slack, a webhook": (f"https://hooks.slack.com/services/T0/B0/{_LONG}", _LONG),
    "AWS, secret": ("aws_secret_access_key = " + 2 * _LONG, _LONG),
    "AWS, secret, in JSON": ('"AwsSecretAccessKey": "' + 2 * _LONG + '"', _LONG),
    "a password that is set": ('DB_PASSWORD = "k9$Lq2-vwZ"', "k9$Lq2-vwZ"),
    "a key that is set": ("client_secret: str = '9f86d081884c7d659a2feaa0c55ad015'", "9f86d081884c7d65"),
    "a key in JSON": (f'{{"apiKey": "{_LONG}"}}', _LONG),
    "a key that is compared": (f'if api_key == "{_LONG}":', _LONG),
    "AWS": ("AKI" + "AIOSFODNN7EXAMPLE", "IOSFODNN7"),
    "a JWT": (f"id {_JWT} end", _JWT),
    "bearer": (f"Authorization: Bearer {_LONG}", _LONG),
    "basic": (f"authorization: basic {base64.b64encode(b'user:password').decode()}", "dXNlcjpwYXNz"),
    "query": (f"GET /callback?code={_LONG}&state={_LONG}", _LONG),
    "cookie": (f"cookie: __Host-sid={_LONG}; theme=dark", _LONG),
    "private key": ("-----BEGIN RSA " + f"PRIVATE KEY-----\n{_LONG}\n-----END RSA " + "PRIVATE KEY-----\nafter", _LONG),
    "private key in a program": (f'{_KEY}\\n" +\n  "{_LONG}\\n" +\n  "{_LONG}"', _LONG),
    "encrypted private key": (
        f"{_KEY}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{_LONG}\n\n{_LONG}\n{_KEY.replace('BEGIN', 'END')}",
        _LONG,
    ),
    "commented private key": (f"# {_KEY}\n# {_LONG}\n# {_LONG}\n", _LONG),
    "cut private key": ("-----BEGIN " + f"PRIVATE KEY-----\\n{_LONG}", _LONG),
}
PROSE = (
    "basic authentication is a bearer of bad news",
    "https://github.com/pallets/flask/blob/main/README.md",
    "mail me at someone@example.org",
    "task-1 risk_of_rain desk-lamp",
    "flask-sqlalchemy, ask-for-permission and task-queue-worker-2; sk-learn-contrib",
    "rsi_overbought_threshold global-configuration-settings glass-bottomed-boat-trip",
    "bearer authentication, Basic configuration",
    "AuthType Basic\nAuthName4 Bearer\n  statusCode2",
    "# Basic WebSocket server, Basic JavaScript usage, basic PostgreSQL2Kafka setup; bearer TokenValidationParameters",
    f"if (text.indexOf('{_KEY}') !== 0) {{\n  throw new TypeError('not a key');\n}}\nexport const f = 1",
    f"A file begins with {_KEY} and what follows is told below.",
    "password = os.environ['PASSWORD']; token=self.token",
    'password="password", token=\'my-token-1\', api_key = "YOUR_API_KEY_2", secret: "changeme-Now1!"',
    'password = "${DB_PASSWORD_1}"; token = f"{user.Token}-{n}-A1"; secret="$(cat ./Secret1)"; pwd = "%(Pwd)s-1"',
    "token = get_Token1(\"x\"); secret = settings.SECRET_KEY_2; password: 'minimum 8 Characters'",
    "token_type = 'Bearer2Access'; tokenizer = 'Qwen/Qwen2-7B'; api_key='https://a.example/K3y'",
    "npm_config_registry_of_2 hf_hub_download_file_2 msg.some_attribute_of_it.another_attribute_2 sk_live_tests",
    "aws_secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY_OF_THE_BUCKET_1234567']",
    "password = 'sha1'; password='abc123'; token = '12345678'; secret = 'a-b-c-d-e-f-1'",
)


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_of_a_known_shape_is_taken_out(name: str) -> None:
    text, secret = SECRETS[name]

    assert secret not in redact(text)
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize("text", PROSE)
def test_words_that_are_no_secrets_stay(text: str) -> None:
    assert redact(text) == text


def test_what_follows_a_private_key_stays() -> None:
    assert redact(SECRETS["private key"][0]).endswith("after")


@given(
    st.lists(st.sampled_from([*(text for text, _ in SECRETS.values()), *PROSE, "", "\n", "x = 1\n", "\u017f\u0130\n"]))
)
def test_what_is_redacted_line_by_line_keeps_its_lines_and_no_secret(parts: list[str]) -> None:
    text = "\n".join(parts)
    said = redact_lines(text)

    assert said.count("\n") == text.count("\n")
    assert redact_lines(said) == said
    assert [secret for _, secret in SECRETS.values() if secret in said] == []


def test_each_line_that_a_secret_stands_in_is_marked_and_no_other() -> None:
    key = SECRETS["private key"][0]

    said = redact_lines(f"one\nurl = {SECRETS['password of an address'][0]}\ntwo\nkey = {key}\nthree")

    marks = "key = [redacted]\n[redacted]\n[redacted]"
    assert said == f"one\nurl = redis://[redacted]@host:1/0\ntwo\n{marks}\nafter\nthree"


def test_a_secret_in_use_is_taken_out_in_every_form_it_may_have() -> None:
    secret = "correct horse/battery staple"
    forms = (secret, "correct%20horse%2Fbattery%20staple", base64.b64encode(secret.encode()).decode())

    with hidden(secret), hidden(secret):
        pass
    with hidden(secret):
        said = redact(" | ".join(forms))

    assert said == "[redacted] | [redacted] | [redacted]"
    assert redact(secret) == secret  # nobody holds it any more


def test_texts_deep_inside_values_are_redacted() -> None:
    value = {"a": [{"b": (f"Bearer {_LONG}",)}], "error": ValueError(f"Bearer {_LONG}"), "n": 3}

    assert _LONG not in repr(redact_all(value))
    assert redact_all({"n": 3}) == {"n": 3}


def test_a_hostile_text_is_redacted_in_linear_time() -> None:
    repeated = (
        "://",
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJ",
        "sk-",
        "rsk_",
        "bearer ",
        "?token=",
        "AKIA",
        "token='",
        "sg.",
        "npm_",
        "aws_secret_access_key ",
    )
    hostile = (*(text * 20_000 for text in repeated), "basic " + "a" * 100_000, "bearer " + "a" * 100_000)

    began = time.perf_counter()
    for text in hostile:
        redact(text)

    assert time.perf_counter() - began < 3


@pytest.mark.usefixtures("_logging_as_it_was")
@pytest.mark.parametrize("kind", ["json", "console"])
def test_no_line_of_the_log_holds_a_secret_however_it_got_there(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(service="test", format=kind)

    class Thing:
        def __repr__(self) -> str:
            return f"<Thing Bearer {_LONG}>"

    try:
        int(f"https://user:{_LONG}@host/")
    except ValueError:
        structlog.get_logger("ours").exception("broke", deep={"headers": [f"Bearer {_LONG}"]}, thing=Thing())
        logging.getLogger("theirs").exception("broke with %s", Thing())

    said = capsys.readouterr().err
    assert "broke" in said
    assert "ValueError" in said
    assert _LONG not in said
    if kind == "json":
        assert [json.loads(line)["service"] for line in said.splitlines()] == ["test", "test"]


_BEGINNINGS = (
    *("gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "glrt-", "ATBB", "ATATT", "ATCTT", "sk-"),
    *("rsk_", "rsr_", "rsl_", "rsi_", "xoxb-", "xoxp-", "AKIA", "ASIA", "Bearer ", "https://", "?access_token="),
    *("?client_secret=", "?code=", "?state=", "?password=", "?api_key=", "__Host-sid=", "__Secure-sid="),
)


@pytest.mark.parametrize("beginning", _BEGINNINGS)
def test_each_kind_is_found_in_a_short_text_and_in_a_long_one(beginning: str) -> None:
    secret = _LONG[:16].upper() if beginning in {"AKIA", "ASIA"} else _LONG * 2
    text = f"{beginning}{secret}@host" if beginning.endswith("//") else f"{beginning}{secret}"

    assert secret[:16] not in redact(text)
    assert secret[:16] not in redact("a word\n" * 1_000 + text)
