"""What a request may hold: whoever misspells a field or a parameter is told so, and not answered without it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi.dependencies.utils import get_flat_params, get_validation_alias
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict
from starlette.requests import Request

from events.question import Scope

UNKNOWN = "extra_forbidden"  # pydantic's word for a field that a shape does not have


class Body(BaseModel):
    """What a request has as its body; fields that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")


def _of_known_fields(value: object) -> object:
    if isinstance(value, Mapping) and value.keys() - Scope.model_fields.keys():
        raise ValueError(f"a scope has {', '.join(Scope.model_fields)}, and nothing else")
    return value


# Events carry scopes, too, and pass over what a newer release says in them: a request's is checked here.
ScopeBody = Annotated[Scope, BeforeValidator(_of_known_fields)]


def only_known_parameters(request: Request) -> None:
    """Raise RequestValidationError where the query has a parameter that the route does not take."""
    if not request.query_params:
        return
    known = {get_validation_alias(field) for field in get_flat_params(request.scope["route"].dependant)}
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise RequestValidationError([{"type": UNKNOWN, "loc": ("query", name)} for name in unknown])
