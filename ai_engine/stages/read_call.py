"""Read what a model asks of a tool, against the closed list of tools.

In:  the name and the arguments as the model wrote them.
Out: one of the five requests, or why it is none; how the call is told back to a provider, and shown to a person.

The tools only read, and only the one analysis that the question is about: nothing that is asked can name another.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ai_engine.stages.build_prompt import ToolCall, ToolOffer
from runtime.redaction import redact

MOST_LINES = 200
_LONGEST = 4_000  # characters of arguments that are told back, shown and kept
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
Text = Annotated[str, Field(min_length=1, max_length=500)]
Path = Annotated[str, Field(min_length=1, max_length=1_024, description="A file's path in the repository.")]
Line = Annotated[int, Field(ge=1, le=10_000_000)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Search(_Input):
    """Search the repository by meaning and by words. Gives the best passages with their lines."""

    query: Text = Field(description="A question, names, or words of the code.")
    limit: int = Field(default=6, ge=1, le=10)


class Read(_Input):
    """Read lines of a file, at most 200 at once."""

    path: Path
    first_line: Line = 1
    last_line: Line | None = None


class Symbols(_Input):
    """List definitions whose name begins so, or those of a file, with their lines and ids. Gives no code."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    path: Path | None = None


class Callers(_Input):
    """List who calls a definition, or inherits from it. Gives no code."""

    symbol: str = Field(pattern=r"^[0-9]{1,9}-[0-9]{1,9}$", description="The id that `symbols` gives.")


class Tree(_Input):
    """List what is right below a folder, with sizes."""

    folder: str = Field(default="", max_length=1_024, description="Empty for the whole repository.")


Request = Search | Read | Symbols | Callers | Tree
_TOOLS: Mapping[str, type[Request]] = MappingProxyType(
    {"search": Search, "read": Read, "symbols": Symbols, "callers": Callers, "tree": Tree}
)
OFFERED = tuple(ToolOffer(name, cls.__doc__ or "", cls.model_json_schema()) for name, cls in _TOOLS.items())


@dataclass(frozen=True)
class Refused:
    """Why a call is not made: a code, and a sentence for the model."""

    code: str
    message: str


def read_call(call: ToolCall) -> Request | Refused:
    """The request that a call is. Pure."""
    cls = _TOOLS.get(call.name)
    if cls is None:
        return Refused("unknown_tool", f"There is no such tool: the tools are {', '.join(_TOOLS)}.")
    try:
        request = cls.model_validate_json(call.arguments or "{}")
    except (ValidationError, RecursionError) as error:
        return Refused("invalid_arguments", _wrong(error))
    if any(_NO_TEXT.search(value) for value in request.model_dump().values() if isinstance(value, str)):
        return Refused("invalid_arguments", "Text with control characters is in no repository's names or code.")
    if isinstance(request, Symbols) and request.name is None and request.path is None:
        return Refused("invalid_arguments", "Give the beginning of a name, or a path.")
    return request


def told_back(call: ToolCall, number: int) -> ToolCall:
    """A call as every provider takes it in a later prompt, whatever the model made of it. Pure."""
    name = call.name if call.name in _TOOLS else _NO_NAME.sub("_", call.name)[:40] or "unknown"
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = {}
    written = json.dumps(arguments if isinstance(arguments, dict) else {}, ensure_ascii=True)
    return ToolCall(f"step_{number}", name, written if len(written) <= _LONGEST else "{}")


def shown_call(call: ToolCall) -> tuple[str, str]:
    """Name and arguments for people and for the log: bounded, without secrets or control characters. Pure."""
    told = told_back(call, 0)
    return told.name, redact(told.arguments)


def _wrong(error: ValidationError | RecursionError) -> str:
    """Which arguments, and what is wrong with each; not what was sent."""
    if isinstance(error, RecursionError):
        return "The arguments are nested too deeply."
    told = (f"{'.'.join(map(str, one['loc']))[:80] or 'arguments'}: {one['msg']}" for one in error.errors()[:5])
    return "; ".join(told)[:500]
