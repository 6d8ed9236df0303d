import pytest

from cli.services import SERVICES, Address, configured_address


def test_a_service_listens_on_loopback_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert configured_address(SERVICES["orchestrator"]) == Address("127.0.0.1", 8001)

    monkeypatch.setenv("REPOSTREAM_ORCHESTRATOR_HOST", "0.0.0.0")
    monkeypatch.setenv("REPOSTREAM_ORCHESTRATOR_PORT", "9001")

    assert configured_address(SERVICES["orchestrator"]) == Address("0.0.0.0", 9001)


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:5"), ("0.0.0.0", "http://127.0.0.1:5"), ("::", "http://[::1]:5")],
)
def test_a_service_on_all_addresses_is_reached_over_loopback(host: str, url: str) -> None:
    assert Address(host, 5).url == url


def test_the_setting_that_moves_a_service_is_named_after_it() -> None:
    assert SERVICES["web_ui"].setting == "REPOSTREAM_WEB_UI_PORT"
