"""Every route asks who is there."""

from typing import Any

from orchestrator.api.dependencies import reader, writer
from orchestrator.app import ROUTERS


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
