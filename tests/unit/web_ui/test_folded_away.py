"""What is folded away is asked for once somebody opens it."""

from collections import Counter

import pytest
from streamlit.testing.v1 import AppTest

from runtime.client import ApiError
from runtime.client.client import local_problem
from runtime.client.shapes import ConfigView, ConversationPage, PushHookView, SharePage, UserView
from web_ui import session

WHO = UserView(user_id="u1", tenant_id="t1", name="ann", local=False, role="owner", scopes=["write:analysis"])


class _Orchestrator:
    """Counts what is asked; nobody has to sign in."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def ways(self) -> tuple[()]:
        return ()

    def installation_me(self) -> UserView:
        return WHO

    def installation_config(self) -> ConfigView:
        self.asked["config"] += 1
        return ConfigView(models=[], modes=[], hosts=[], loopback_repositories=False)

    def shares_listed(self, **_wanted: object) -> SharePage:
        self.asked["shares"] += 1
        return SharePage(items=[])

    def push_hooks_one(self, _repository_id: str) -> PushHookView:
        self.asked["hook"] += 1
        raise ApiError(local_problem("not_found", "There is none", "", 404))

    def conversations_newest(self, **_wanted: object) -> ConversationPage:
        self.asked["talks"] += 1
        return ConversationPage(items=[])


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> _Orchestrator:
    found = _Orchestrator()
    monkeypatch.setattr(session, "_parts", [(found, found)])
    return found


def _sharing() -> None:
    from web_ui.components import share

    share.control("repository", "r1")


def _pushing() -> None:
    from types import SimpleNamespace

    from web_ui.components import push_hook

    push_hook.control(SimpleNamespace(url="https://github.com/o/r", repository_id="r1"))  # type: ignore[arg-type]  # what it looks at


def _talking() -> None:
    from web_ui.components import talks

    talks.choose("r1", "c1")


def _offering() -> None:
    from web_ui.session import offers

    offers()


@pytest.mark.parametrize(
    ("page", "state", "what"),
    [(_sharing, "sharing-r1", "shares"), (_pushing, "push-hook-r1", "hook"), (_talking, "talks-r1", "talks")],
)
def test_a_popover_asks_while_it_is_open(api: _Orchestrator, page: object, state: str, what: str) -> None:
    drawn = AppTest.from_function(page).run(timeout=30)  # type: ignore[arg-type]  # one of those above
    assert not drawn.exception
    drawn.run()
    assert api.asked[what] == 0

    drawn.session_state[state] = True
    drawn.run()
    assert not drawn.exception
    assert api.asked[what] == 1

    drawn.session_state[state] = False
    drawn.run()
    assert api.asked[what] == 1


def test_what_an_installation_offers_is_asked_for_once_by_each_session(api: _Orchestrator) -> None:
    for number in (1, 2):
        drawn = AppTest.from_function(_offering).run(timeout=30)
        drawn.run()

        assert not drawn.exception
        assert api.asked["config"] == number
