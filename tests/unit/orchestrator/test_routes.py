"""Every route asks who is there."""

from typing import Any

import pytest

from orchestrator.api.dependencies import reader, writer
from orchestrator.app import ROUTERS, create_app


def _asks_for(dependant: Any) -> set[object]:
    inner = [_asks_for(each) for each in dependant.dependencies]
    return {dependant.call}.union(*inner) & {reader, writer}


def test_every_route_takes_a_scope_and_what_changes_something_takes_the_one_for_it() -> None:
    routes: list[Any] = [route for router in ROUTERS for route in router.routes]
    wrong = [
        (route.methods, route.path)
        for route in routes
        if _asks_for(route.dependant) != ({reader} if route.methods == {"GET"} else {writer})
    ]

    assert len(routes) > 20
    assert wrong == []


def test_the_service_does_not_start_where_others_could_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOSTREAM_ORCHESTRATOR_HOST", "0.0.0.0")

    with pytest.raises(SystemExit, match="no sign-in configured"):
        create_app()
