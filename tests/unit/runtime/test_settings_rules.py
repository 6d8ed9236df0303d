"""Each rule finds what it is there for, says what to do, and repeats no secret."""

import pytest

from runtime.sealing import fresh_key
from runtime.service_tokens import new_service_key
from runtime.settings_rules import RULES, State
from tests.support.github_app import new_key
from tests.support.service_keys import PUBLIC_KEYS

CANARY = "canary-5f1c9a7be2d04c1f"
GOOD_URL = f"postgresql://u:{CANARY}@db.example:5432/repostream"
WRONG, MISSING, NOTE = State.WRONG, State.MISSING, State.NOTE

FAULTS = {
    "repositories that go": ({"RETENTION_REPOSITORY_DAYS": "90"}, "RETENTION_REPOSITORY_DAYS", NOTE),
    "keys that go": ({"RETENTION_ENDED_DAYS": "30"}, "RETENTION_ENDED_DAYS", NOTE),
    "database of another kind": ({"DATABASE_URL": f"mysql://u:{CANARY}@h/d"}, "DATABASE_URL", WRONG),
    "database that is no address": ({"DATABASE_URL": f"{CANARY}"}, "DATABASE_URL", WRONG),
    "database with a bad port": ({"DATABASE_URL": f"postgresql://u:{CANARY}@h:port/d"}, "DATABASE_URL", WRONG),
    "redis as http": ({"REDIS_URL": f"http://:{CANARY}@h"}, "REDIS_URL", WRONG),
    "chroma without a scheme": ({"CHROMA_URL": "chroma:8000"}, "CHROMA_URL", WRONG),
    "redis without a password": ({"REDIS_URL": "redis://redis.example:6379/0"}, "REDIS_URL", NOTE),
    "short password": ({"REDIS_URL": "redis://:short@redis.example:6379/0"}, "REDIS_URL", WRONG),
    "password of one letter": ({"REDIS_URL": "redis://:aaaaaaaaaaaaaaaaa@redis.example/0"}, "REDIS_URL", WRONG),
    "no sealing key": ({"DATABASE_URL": GOOD_URL}, "SECRET_KEY", MISSING),
    "malformed sealing key": ({"SECRET_KEY": CANARY}, "SECRET_KEY", WRONG),
    "malformed service key": ({"SERVICE_KEY": CANARY}, "SERVICE_KEY", WRONG),
    "malformed public keys": ({"SERVICE_PUBLIC_KEYS": CANARY}, "SERVICE_PUBLIC_KEYS", WRONG),
    "a key and no public ones": ({"SERVICE_KEY": new_service_key()}, "SERVICE_PUBLIC_KEYS", MISSING),
    "an App without its key": ({"GITHUB_APP_ID": "1"}, "GITHUB_APP_PRIVATE_KEY", MISSING),
    "a key without its App": ({"GITHUB_APP_PRIVATE_KEY": CANARY}, "GITHUB_APP_ID", MISSING),
    "an App's key that is none": (
        {"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": CANARY},
        "GITHUB_APP_PRIVATE_KEY",
        WRONG,
    ),
    "an App spoken to in the clear": ({"GITHUB_APP_API_URL": "http://ghe.example/api/v3"}, "GITHUB_APP_API_URL", WRONG),
    "a model of nobody": ({"AI_MODELS": "gpt"}, "AI_MODELS", WRONG),
    "a model without its key": ({"AI_MODELS": "anthropic:m"}, "AI_ANTHROPIC_API_KEY", MISSING),
    "local sign-in for all": ({"LOCAL_SIGN_IN": "true", "ORCHESTRATOR_HOST": "0.0.0.0"}, "LOCAL_SIGN_IN", WRONG),
    "loopback repositories for all": (
        {"INTAKE_LOOPBACK": "1", "ORCHESTRATOR_HOST": "10.0.0.1"},
        "INTAKE_LOOPBACK",
        WRONG,
    ),
    "people who come from elsewhere by no known proxy": (
        {"PUBLIC_URL": "https://repostream.example"},
        "LIMITS_TRUSTED_PROXIES",
        NOTE,
    ),
    "an embedder without its key": (
        {"EMBEDDER": "voyage", "PREFLIGHT_PRICE": "0.2"},
        "EMBEDDER_API_KEY",
        MISSING,
    ),
    "an embedder that passages leave for": (
        {"EMBEDDER": "openai", "EMBEDDER_API_KEY": CANARY, "PREFLIGHT_PRICE": "0.2"},
        "EMBEDDER",
        NOTE,
    ),
    "an embedder that is paid for, with no price": (
        {"EMBEDDER": "openai", "EMBEDDER_API_KEY": CANARY},
        "PREFLIGHT_PRICE",
        NOTE,
    ),
    "an embedder's key in the clear": (
        {"EMBEDDER": "openai", "EMBEDDER_API_KEY": CANARY, "EMBEDDER_BASE_URL": "http://vectors.example/v1"},
        "EMBEDDER_BASE_URL",
        WRONG,
    ),
    "an embedder's address that is none": (
        {"EMBEDDER": "openai", "EMBEDDER_BASE_URL": "vectors.example/v1"},
        "EMBEDDER_BASE_URL",
        WRONG,
    ),
    "an embedder of before without its key": (
        {"FORMER_EMBEDDER": "voyage", "PREFLIGHT_PRICE": "0.2"},
        "FORMER_EMBEDDER_API_KEY",
        MISSING,
    ),
    "an embedder of before that questions leave for": (
        {"FORMER_EMBEDDER": "openai", "FORMER_EMBEDDER_API_KEY": CANARY, "PREFLIGHT_PRICE": "0.2"},
        "FORMER_EMBEDDER",
        NOTE,
    ),
    "the key of an embedder of before in the clear": (
        {
            "FORMER_EMBEDDER": "openai",
            "FORMER_EMBEDDER_API_KEY": CANARY,
            "FORMER_EMBEDDER_BASE_URL": "http://vectors.example/v1",
        },
        "FORMER_EMBEDDER_BASE_URL",
        WRONG,
    ),
    "an address of an embedder of before that is none": (
        {"FORMER_EMBEDDER": "openai", "FORMER_EMBEDDER_BASE_URL": "vectors.example/v1"},
        "FORMER_EMBEDDER_BASE_URL",
        WRONG,
    ),
    "a worker that others reach": ({"RAG_MANAGER_HOST": "0.0.0.0"}, "RAG_MANAGER_HOST", NOTE),
}
FINE = {
    "nothing at all": {},
    "a laptop's": {"LOCAL_SIGN_IN": "true", "ORCHESTRATOR_HOST": "127.0.0.1", "INTAKE_LOOPBACK": "true"},
    "IPv6 loopback": {"LOCAL_SIGN_IN": "true", "ORCHESTRATOR_HOST": "::1"},
    "a server on this machine": {"REDIS_URL": "redis://127.0.0.1:6379/0", "CHROMA_URL": "http://localhost:8000"},
    "a site behind its ingress": {"PUBLIC_URL": "https://a.example", "LIMITS_TRUSTED_PROXIES": "10.0.0.0/8"},
    "a site of this machine": {"PUBLIC_URL": "http://127.0.0.1:8501"},
    "servers elsewhere": {"DATABASE_URL": GOOD_URL, "SECRET_KEY": f"{fresh_key()},{fresh_key()}"},
    "services apart": {"SERVICE_KEY": new_service_key(), "SERVICE_PUBLIC_KEYS": PUBLIC_KEYS},
    "an App": {"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": new_key(), "GITHUB_APP_API_URL": "https://g/api/v3"},
    "the local embedder": {"EMBEDDER": "local", "FORMER_EMBEDDER": "local"},
    "an embedder of before on this machine": {
        "FORMER_EMBEDDER": "openai",
        "FORMER_EMBEDDER_BASE_URL": "http://127.0.0.1:11434/v1",
    },
    "models": {"AI_MODELS": "openai:a, anthropic:b", "AI_OPENAI_API_KEY": CANARY, "AI_ANTHROPIC_API_KEY": CANARY},
    "a model of one's own server": {"AI_MODELS": "openai:llama", "AI_OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"},
}


def said_of(settings: dict[str, str]) -> dict[str, tuple[State, str]]:
    values = {f"REPOSTREAM_{name}": value for name, value in settings.items()}
    return {said.setting: (said.state, said.detail) for rule in RULES for said in rule(values)}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_where_it_is_and_repeats_no_secret(name: str) -> None:
    settings, place, state = FAULTS[name]
    found = said_of(settings)

    assert found[f"REPOSTREAM_{place}"][0] is state
    assert CANARY not in str(found)


@pytest.mark.parametrize("name", FINE)
def test_settings_that_are_in_order_are_left_alone(name: str) -> None:
    assert said_of(FINE[name]) == {}
