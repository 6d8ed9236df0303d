"""Fields and parameters that nobody knows are refused, by every route."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.requests import Request

from orchestrator.api.description import create_api, operations
from orchestrator.api.models import AnalysisRequest, QuestionRequest
from orchestrator.api.problems import register
from orchestrator.api.routes import ROUTES
from orchestrator.api.strict import Body, only_known_parameters

SCHEMA = create_api(ROUTES).openapi()
ENUMS = {"Stage", "Told"}
CHECKED_BESIDE = {"Scope"}  # by its own sentence: see below


def in_bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every shape that a request's body has, and those within it."""
    shapes, waiting, seen = SCHEMA["components"]["schemas"], list[str](), set[str]()
    for _, _, operation in operations(SCHEMA):
        waiting += re.findall(r"#/components/schemas/(\w+)", json.dumps(operation.get("requestBody", {})))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += re.findall(r"#/components/schemas/(\w+)", json.dumps(shapes[name]))
            yield name, shapes[name]


def test_the_body_of_every_route_refuses_fields_that_it_does_not_know() -> None:
    found = dict(in_bodies())

    assert {"AnalysisRequest", "QuestionRequest", "CollectionRequest", "RefreshRequest"} <= found.keys()
    open_ones = {name for name, shape in found.items() if shape.get("additionalProperties") is not False}
    assert open_ones == ENUMS | CHECKED_BESIDE


class Door(Body):
    width: int = 1


class Filters(BaseModel):
    colour: str = ""


def answers() -> TestClient:
    async def known(request: Request) -> None:
        only_known_parameters(request)

    router = APIRouter(dependencies=[Depends(known)])

    @router.post("/doors/{number}")
    async def post(number: int, body: Door, wide: bool = False) -> int:
        return number + body.width + wide

    @router.get("/doors")
    async def get(filters: Filters = Query(), limit: int = Query(1, alias="most")) -> str:
        return f"{filters.colour}{limit}"

    app = FastAPI()
    app.include_router(router, prefix="/api")
    register(app)
    return TestClient(app)


def test_a_misspelled_field_is_named_and_its_value_is_not() -> None:
    answer = answers().post("/api/doors/1", json={"widht": "s3cret-value", "x" * 900: 1})

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"
    assert "body.widht: nothing is called so here" in answer.json()["detail"]
    assert "s3cret" not in answer.text
    assert "x" * 61 not in answer.text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("/api/doors", 200),
        ("/api/doors?colour=red&most=3", 200),
        ("/api/doors?color=red", 422),
        ("/api/doors?limit=3", 422),
    ],
)
def test_a_misspelled_parameter_is_refused(asked: str, status: int) -> None:
    answer = answers().get(asked)

    assert answer.status_code == status
    if status == 422:
        assert re.search(r"query\.(color|limit): nothing is called so here", answer.json()["detail"])


def test_a_parameter_beside_a_body_is_known() -> None:
    assert answers().post("/api/doors/1?wide=true", json={"width": 2}).json() == 4
    assert answers().post("/api/doors/1?wider=true", json={"width": 2}).status_code == 422


def test_a_scope_with_a_field_that_it_does_not_have_is_refused() -> None:
    assert QuestionRequest.model_validate({"query": "how?", "scope": {"folder": "src"}}).scope is not None
    with pytest.raises(ValueError, match="a scope has folder, path, language, symbol, and nothing else"):
        QuestionRequest.model_validate({"query": "how?", "scope": {"foldre": "src"}})
    with pytest.raises(ValueError, match="froce"):
        AnalysisRequest.model_validate({"url": "https://github.com/a/b", "froce": True})
