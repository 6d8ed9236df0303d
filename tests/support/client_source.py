"""Makes the typed client (`runtime/client/`) from the API's own description: `make client`."""

import copy
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.api.description import create_api, operations
from orchestrator.api.routes import ROUTES

Json = dict[str, Any]
_TEXTS = {"uuid", "password"}  # a secret has to be sent as it is
_LIMITS = {"maxLength", "minLength", "pattern", "maximum", "minimum", "title"}
FOLDER = Path(__file__).parents[2] / "runtime" / "client"
_SHAPES_HEAD = '"""The shapes of the API\'s requests and replies. Made by `make client`: not to be edited."""'
_OPERATIONS_HEAD = '''"""One method for each operation of the API. Made by `make client`: not to be edited."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from runtime.client import shapes
from runtime.client.stream import ServerSent

T = TypeVar("T")
Parameters = Mapping[str, str | int | bool | None]


def part(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


class Operations(Protocol):
    """The operations, over a connection that somebody else holds."""

    def _call(
        self,
        shape: type[T],
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Parameters | None = None,
        body: BaseModel | BinaryIO | None = None,
    ) -> T: ...

    def _content(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        headers: Parameters | None = None,
        body: BaseModel | BinaryIO | None = None,
    ) -> bytes: ...

    def _stream(
        self, path: str, *, params: Parameters | None = None, headers: Parameters | None = None
    ) -> AbstractContextManager[Iterator[ServerSent]]: ...
'''


def tolerant(schema: Json) -> Json:
    """`schema` as a client reads it: ids and words are text, what may be null or empty may be absent.

    So a client survives an API that learns a new state, and a field that is left out.
    """
    schema = copy.deepcopy(schema)
    schemas = schema["components"]["schemas"]
    words = {name for name, shape in schemas.items() if "enum" in shape and shape.get("type") == "string"}
    for name in words:
        del schemas[name]
    for shape in schemas.values():
        shape.pop("examples", None)
        required = set(shape.get("required", ()))
        for name, field in shape.get("properties", {}).items():
            _loosen(field, words)
            if any(option.get("type") == "null" for option in field.get("anyOf", ())):
                required.discard(name)
            elif name not in required and "default" not in field and field.get("type") in {"array", "object"}:
                field["default"] = [] if field["type"] == "array" else {}
        shape["required"] = sorted(required)
    return schema


def _loosen(node: object, words: set[str]) -> None:
    if isinstance(node, list):
        for item in node:
            _loosen(item, words)
    if not isinstance(node, dict):
        return
    if str(node.get("$ref", "")).rpartition("/")[2] in words:
        node["type"] = "string"
        del node["$ref"]
    limits = {*_LIMITS, "enum", "const", "format"} if node.get("type") == "string" else _LIMITS
    for limit in limits:
        plain = limit != "format" or node.get("format") in _TEXTS
        if plain and not isinstance(node.get(limit), dict):  # a limit, not a property of that name
            node.pop(limit, None)
    for child in node.values():
        _loosen(child, words)


def shapes_source(schema: Json) -> str:
    """`shapes.py`."""
    only = {"openapi": schema["openapi"], "info": schema["info"], "paths": {}}
    only["components"] = {"schemas": tolerant(schema)["components"]["schemas"]}
    with tempfile.TemporaryDirectory() as folder:
        description, out = Path(folder) / "openapi.json", Path(folder) / "shapes.py"
        description.write_text(json.dumps(only))
        flags = ["--use-standard-collections", "--use-union-operator", "--use-schema-description", "--use-object-type"]
        flags += ["--disable-timestamp", "--frozen-dataclasses", "--enable-faux-immutability", "--use-annotated"]
        flags += ["--target-python-version", "3.11", "--extra-fields", "ignore", "--formatters", "builtin"]
        flags += ["--output-model-type", "pydantic_v2.BaseModel", "--input-file-type", "openapi"]
        flags += [
            "--custom-file-header",
            _SHAPES_HEAD,
            "--use-double-quotes",
            "--disable-future-imports",
            "--strict-nullable",
            "--enum-field-as-literal",
            "all",
        ]
        command = [sys.executable, "-m", "datamodel_code_generator", "--input", str(description), "--output", str(out)]
        subprocess.run([*command, *flags], check=True)
        return formatted(out.read_text(), "shapes.py")


def operations_source(schema: Json) -> str:
    """`operations.py`."""
    methods = [method_source(path, verb, operation) for path, verb, operation in operations(schema)]
    return formatted(_OPERATIONS_HEAD + "\n" + "\n".join(methods), "operations.py")


def method_source(path: str, verb: str, operation: Json) -> str:
    """The method that calls one operation."""
    parameters = [p for p in operation.get("parameters", ()) if p["in"] != "cookie"]
    where = re.sub(r"\{(\w+)\}", r"{part(\1)}", path)
    body = operation.get("requestBody")
    answer, call = answer_of(operation)
    options = list(_options(parameters, with_body=body is not None))
    ordered = [f"{_name(p)}: str" for p in parameters if p["in"] == "path"]
    if body is not None:
        ordered.append(_body_argument(body))
    named = [_argument(p) for p in parameters if p["in"] != "path"]
    arguments = ", ".join(["self", *ordered, *(["*", *named] if named else [])])
    if answer == "None":
        call = "_content"
    begin = {"_stream": "", "_content": f'"{verb.upper()}", '}.get(call, f'{answer}, "{verb.upper()}", ')
    passed = ", ".join([f'f"{where}"' if "{" in where else f'"{where}"', *options])
    returned = "AbstractContextManager[Iterator[ServerSent]]" if call == "_stream" else answer
    summary = operation["summary"].replace('"', "'")
    return (
        f"    def {operation['operationId']}({arguments}) -> {returned}:\n"
        f'        """{summary}"""\n'
        f"        {'return ' if answer != 'None' else ''}self.{call}({begin}{passed})\n"
    )


def answer_of(operation: Json) -> tuple[str, str]:
    """The type that an operation gives, and which call gives it."""
    good = next(reply for status, reply in sorted(operation["responses"].items()) if status.startswith("2"))
    content = good.get("content", {})
    if "text/event-stream" in content:
        return "", "_stream"
    if content and "application/json" not in content:
        return "bytes", "_content"
    return type_of(content["application/json"]["schema"]) if content else "None", "_call"


def type_of(schema: Json) -> str:
    """A schema as a type of Python."""
    if "$ref" in schema:
        return f"shapes.{schema['$ref'].rpartition('/')[2]}"
    if "anyOf" in schema:
        found = dict.fromkeys(type_of(option) for option in schema["anyOf"] if option.get("type") != "null")
        return " | ".join(found)
    if schema.get("type") == "array":
        return f"list[{type_of(schema['items'])}]"
    plain = {"integer": "int", "boolean": "bool", "number": "float", "string": "str", "object": "dict[str, object]"}
    return plain.get(schema.get("type", ""), "object")


def _name(parameter: Json) -> str:
    return str(parameter["name"]).replace("-", "_").lower()


def _argument(parameter: Json) -> str:
    kind = type_of(parameter["schema"])
    return f"{_name(parameter)}: {kind}" if parameter.get("required") else f"{_name(parameter)}: {kind} | None = None"


def _body_argument(body: Json) -> str:
    """A shape; for a body of bytes a file that is open for reading."""
    if "application/json" not in body["content"]:
        return "body: BinaryIO"
    shape = body["content"]["application/json"]["schema"]
    return f"body: {type_of(shape)}" + ("" if body.get("required") else " | None = None")


def _options(parameters: list[Json], *, with_body: bool) -> Iterator[str]:
    for place, keyword in (("query", "params"), ("header", "headers")):
        pairs = [f'"{_spelt(p)}": {_name(p)}' for p in parameters if p["in"] == place]
        if pairs:
            yield f"{keyword}={{{', '.join(pairs)}}}"
    if with_body:
        yield "body=body"


def _spelt(parameter: Json) -> str:
    name = str(parameter["name"])
    return "Idempotency-Key" if name.lower() == "idempotency-key" else name


def formatted(source: str, name: str) -> str:
    """`source` as ruff leaves it."""
    for command in (["check", "--fix", "--quiet", "--exit-zero"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(FOLDER / name), "-"]
        source = subprocess.run(ruff, input=source, capture_output=True, text=True, check=True).stdout
    return source


def sources() -> dict[str, str]:
    """The generated files by name."""
    schema = create_api(ROUTES).openapi()
    return {"shapes.py": shapes_source(schema), "operations.py": operations_source(schema)}


def described_operations() -> list[str]:
    """The names of all operations."""
    return [operation["operationId"] for _, _, operation in operations(create_api(ROUTES).openapi())]


def main() -> None:
    """Write them."""
    for name, source in sources().items():
        (FOLDER / name).write_text(source)


if __name__ == "__main__":
    main()
