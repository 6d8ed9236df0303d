import re

import pytest

from cli.logins import VALKEY_USERS, database_urls, signed_in
from cli.services import SERVICES
from events.catalog import CONSUMERS

OWNER = "postgresql://repostream:secret@127.0.0.1:5432/repostream"
PASSWORDS = {
    f"repostream_{name}": f"password-of-{name}"
    for name in ("background", "requests", "processor", "ai_engine", "rag_manager")
}


@pytest.mark.parametrize("service", ["processor", "rag_manager", "ai_engine"])
def test_a_worker_reaches_the_streams_that_it_consumes_and_no_others(service: str) -> None:
    consumed = {topic for topic, names in CONSUMERS.items() if any(name.startswith(f"{service}.") for name in names)}
    reached = set(re.findall(r"~(\S+)", VALKEY_USERS[service]))

    own = {"ai_engine": {"circuit.*", "asking.*"}, "rag_manager": {"found.*"}}.get(service, set())
    assert {topic for topic in reached if not topic.startswith("live.")} == consumed | own


def test_every_service_but_the_pages_has_a_user_of_its_own() -> None:
    assert {*VALKEY_USERS, "web_ui"} == set(SERVICES)


def test_no_service_is_given_the_owners_url_or_anothers() -> None:
    urls = {service: database_urls(service, OWNER, PASSWORDS) for service in SERVICES}
    given = [url for settings in urls.values() for url in settings.values()]

    assert urls["web_ui"] == {}
    assert len(set(given)) == len(given) == 5
    assert not any(":secret@" in url for url in given)
    assert urls["orchestrator"]["REPOSTREAM_DATABASE_REQUESTS_URL"] == (
        "postgresql://repostream_requests:password-of-requests@127.0.0.1:5432/repostream"
    )


def test_another_user_keeps_the_rest_of_a_url() -> None:
    url = "postgresql://a:b%40c@db.example:5433/name?sslmode=require"

    assert signed_in(url, "x", "y") == "postgresql://x:y@db.example:5433/name?sslmode=require"
