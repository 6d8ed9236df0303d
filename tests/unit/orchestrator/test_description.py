"""The API's description: examples that fit, keys on every POST, and notice before a route goes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import APIRouter
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from orchestrator.api.deprecation import deprecated
from orchestrator.api.description import create_api, operations, routes_of
from orchestrator.api.idempotency import HEADER
from orchestrator.app import ROUTES

SCHEMA = create_api(ROUTES).openapi()
SHAPES: dict[str, Any] = SCHEMA["components"]["schemas"]
OBJECTS = sorted(name for name, shape in SHAPES.items() if shape.get("type") == "object")
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_shape_has_an_example_that_fits_it(name: str) -> None:
    [example] = SHAPES[name]["examples"]
    checker = Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": SCHEMA["components"]})

    assert [error.message for error in checker.iter_errors(example)] == []
    assert example.keys() == SHAPES[name].get("properties", {}).keys()


def test_there_are_examples_at_all_and_a_wrong_one_would_be_noticed() -> None:
    checker = Draft202012Validator({"$ref": "#/components/schemas/AnalysisView", "components": SCHEMA["components"]})

    assert len(OBJECTS) > 50
    assert not checker.is_valid({**SHAPES["AnalysisView"]["examples"][0], "state": "asleep"})


def test_every_post_of_the_api_takes_an_idempotency_key_and_nothing_else_does() -> None:
    for path, method, operation in operations(SCHEMA):
        takes = any(parameter["name"] == HEADER for parameter in operation.get("parameters", ()))
        assert takes is (method == "post" and path.startswith("/api/v1/")), (method, path)


def test_a_route_that_goes_says_since_when_until_when_and_where_to_go_instead() -> None:
    router = APIRouter(tags=["old"])
    marker = deprecated(SINCE, SINCE + timedelta(days=200), "/api/v1/new")

    @router.get("/old", deprecated=True, dependencies=[marker])
    async def old() -> dict[str, str]:
        """An old way."""
        return {}

    app = create_api(routes_of([router]))
    reply = TestClient(app).get("/api/v1/old")

    assert reply.headers["deprecation"] == "@1772323200"
    assert reply.headers["sunset"] == "Thu, 17 Sep 2026 00:00:00 GMT"
    assert reply.headers["link"] == '</api/v1/new>; rel="successor-version"'
    assert app.openapi()["paths"]["/api/v1/old"]["get"]["deprecated"] is True


def test_nobody_is_given_less_than_half_a_year() -> None:
    with pytest.raises(ValueError, match="notice of 180 days"):
        deprecated(SINCE, SINCE + timedelta(days=100), "/api/v1/new")
