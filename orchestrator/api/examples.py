"""An example for every shape of the API's description, made of its fields: by what they are called, else by their kind.

Made instead of written, so that no new shape is without one; a test holds each to its schema.
"""

from typing import Any

Json = dict[str, Any]
_AT = "2026-03-01T12:00:00Z"
_ID = "7a0d8f5e-0f4c-4b56-9f6e-3a3f8f0b1234"
_NAMED: Json = {
    "url": "https://github.com/pallets/flask",
    "host": "github.com",
    "name": "flask",
    "ref": "main",
    "default_branch": "main",
    "commit": "36e4a824f340fdee7ed50937ba8e7f6bc7d17f81",
    "path": "src/flask/app.py",
    "language": "python",
    "kind": "function",
    "signature": "def create_app() -> Flask",
    "qualified_name": "flask.create_app",
    "query": "Where are blueprints registered?",
    "title": "pallets/flask",
    "text": "app = Flask(__name__)\n",
    "state": "ready",
    "code": "not_found",
    "detail": "Check the id: nothing of yours has it.",
    "type": "repository.processing.completed",
    "address": "192.0.2.7",
    "agent": "Mozilla/5.0",
    "login": "octocat",
    "scope": "read:repositories",
    "scopes": ["read:repositories"],
    "prefix": "rsk_abcdefgh",
    "token_type": "Bearer",
    "next": None,
    "stream_id": f"analysis/{_ID}",
    "first_line": 1,
    "last_line": 20,
    "status": 200,
}
_PLAIN: Json = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_FORMATS = {"uuid": _ID, "date-time": _AT, "date": "2026-03-01", "uri": "https://github.com/pallets/flask"}
_DEEPEST = 6


def add_examples(schemas: Json) -> None:
    """Give each object of the description's `schemas` an example; changed in place."""
    for schema in schemas.values():
        if schema.get("type") == "object":
            schema["examples"] = [example_of(schema, schemas)]


def example_of(schema: Json, schemas: Json, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401  # any JSON
    """One value that fits `schema`, of a field that is called `name`."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name, depth + 1)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", ())), None))
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if options:
        chosen = [option for option in options if option.get("type") != "null"]
        nothing = len(chosen) < len(options) and (depth > _DEEPEST or name == "next")
        return None if nothing else example_of(chosen[0], schemas, name, depth)
    return _of_type(schema, schemas, name, depth)


def _of_type(schema: Json, schemas: Json, name: str, depth: int) -> Any:  # noqa: ANN401  # any JSON
    kind = schema.get("type", "object")
    if kind == "object":
        fields = schema.get("properties", {}).items()
        return {field: example_of(of, schemas, field, depth + 1) for field, of in fields}
    if kind == "array":
        return _array(schema, schemas, name, depth)
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    named = _NAMED.get(name)
    if isinstance(named, {"string": str, "integer": int}.get(kind, float)):
        return named
    return max(_PLAIN[kind], schema.get("minimum", 1)) if kind in {"integer", "number"} else _word(schema, kind)


def _word(schema: Json, kind: str) -> Any:  # noqa: ANN401  # text, truth or nothing
    return "x" * schema["minLength"] if schema.get("minLength", 0) > len("text") else _PLAIN[kind]


def _array(schema: Json, schemas: Json, name: str, depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [example_of(item, schemas, name, depth + 1) for item in schema["prefixItems"]]
    if depth > _DEEPEST and not schema.get("minItems"):
        return []
    return [example_of(schema.get("items", {"type": "string"}), schemas, name.removesuffix("s"), depth + 1)]
