"""Two tenants in one orchestrator: who is asking stands in a header, and every route of the API can be asked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text
from starlette.requests import HTTPConnection

from orchestrator.auth.identity import ALL_SCOPES, Identity, Proof
from tests.support.archives import zip_of
from tests.support.orchestrator import System, eventually

HEADER = "x-test-tenant"
_STREAMS = ("events", "stream")  # how the paths of endless answers end

_PEOPLE = (
    "INSERT INTO auth.tenants (tenant_id, name, personal) VALUES (:tenant, :word, false)",
    "INSERT INTO auth.users (user_id, provider, subject, login, name) VALUES (:user, 'github', :word, :word, :word)",
    "INSERT INTO auth.members (tenant_id, user_id, role) VALUES (:tenant, :user, 'owner')",
)


class ByHeader:
    """An identity provider that believes what it is told; the routes behind it are the real ones."""

    async def identify(self, connection: HTTPConnection) -> Identity:
        return identity_of(UUID(connection.headers[HEADER]))


def identity_of(tenant: UUID) -> Identity:
    """The one person of a tenant."""
    user = UUID(int=tenant.int + 1)
    return Identity(user, tenant, "Somebody", ALL_SCOPES, proof=Proof.SESSION, proof_id=user)


@dataclass
class Tenant:
    """A tenant, the word that stands in everything it wrote, and the ids of what it has."""

    tenant_id: UUID
    word: str
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: str(self.tenant_id)}

    @property
    def marks(self) -> set[str]:
        """What nobody else may ever be shown."""
        return {self.word, str(self.tenant_id), *self.ids.values()}


@dataclass(frozen=True)
class Operation:
    """One method of one path, with what it takes."""

    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None

    @property
    def names(self) -> list[str]:
        """The ids that it takes, wherever they stand."""
        body = (self.body or {}).get("properties", {})
        return [p["name"] for p in self.parameters if _is_id(p["name"], p["schema"])] + [
            name for name, schema in body.items() if _is_id(name, schema)
        ]

    @property
    def is_endless(self) -> bool:
        return self.method == "get" and "{" in self.path and self.path.rsplit("/", 1)[-1] in _STREAMS

    def request(self, ids: Mapping[str, str], word: str) -> dict[str, Any]:
        """The arguments of `httpx.request`, with these ids and else something harmless of the tenant's."""
        values = {
            p["name"]: ids.get(p["name"]) or _value(p["name"], p["schema"], word)
            for p in self.parameters
            if p["in"] != "header" and (p.get("required") or p["name"] in ids)
        }
        path = re.sub(r"{(\w+)}", lambda found: str(values.pop(found[1])), self.path)
        arguments: dict[str, Any] = {"method": self.method, "url": path, "params": values}
        if self.body is not None:
            fields = self.body.get("properties", {})
            wanted = {*self.body.get("required", ()), *(ids.keys() & fields.keys())}
            arguments["json"] = {name: ids.get(name) or _value(name, fields[name], word) for name in sorted(wanted)}
        return arguments


def operations(openapi: Mapping[str, Any]) -> list[Operation]:
    """All that the API's description lists."""
    return [
        Operation(method, path, tuple(what.get("parameters", ())), _body_of(openapi, what))
        for path, methods in sorted(openapi["paths"].items())
        for method, what in sorted(methods.items())
    ]


def _body_of(openapi: Mapping[str, Any], what: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema = what.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return None
    schema = next((part for part in schema.get("anyOf", ()) if "$ref" in part), schema)
    found: Mapping[str, Any] = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found


def _is_id(name: str, schema: Mapping[str, Any]) -> bool:
    return name == "stream_id" or any(part.get("format") == "uuid" for part in _flat(schema))


def _flat(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    for part in schema.get("anyOf", ()):
        yield from _flat(part)


def _value(name: str, schema: Mapping[str, Any], word: str) -> Any:  # as the schema says
    [first, *_] = [part for part in _flat(schema) if "type" in part or "enum" in part or "const" in part] or [schema]
    if name == "url":
        return f"https://github.com/{word}/more"
    if name == "symbol_id":
        return "0-0"
    if "enum" in first:
        return first["enum"][0]
    if first.get("format") == "uuid":
        return str(uuid4())
    return {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(first.get("type", ""), word)


async def settle(system: System, tenant: Tenant) -> None:
    """Give the tenant whatever one can have, from an owner to a sharing link, and learn the ids of all of it."""
    async with system.engine.begin() as connection:
        for statement in _PEOPLE:
            values = {"tenant": tenant.tenant_id, "user": UUID(int=tenant.tenant_id.int + 1), "word": tenant.word}
            await connection.execute(text(statement), values)
    client, ids = system.client, tenant.ids

    async def post(path: str, body: Mapping[str, object]) -> dict[str, Any]:
        reply = await client.post(f"/api/v1{path}", json=body, headers=tenant.headers)
        assert reply.status_code in {201, 202}, reply.text
        found: dict[str, Any] = reply.json()
        return found

    analysis = await post("/analyses", {"url": f"https://github.com/{tenant.word}/app"})
    conversation = await post("/conversations", {"repository_id": analysis["repository_id"]})
    path = f"/conversations/{conversation['conversation_id']}/questions"
    question = await post(path, {"query": f"Where does {tenant.word} begin?"})
    ids |= {name: analysis[name] for name in ("analysis_id", "repository_id")}
    ids |= {"conversation_id": conversation["conversation_id"], "question_id": question["question_id"]}
    sent = zip_of({tenant.word: b"of one tenant"})
    uploaded = await client.post("/api/v1/uploads", params={"name": tenant.word}, content=sent, headers=tenant.headers)
    ids["upload_id"] = uploaded.json()["upload_id"]
    ids["stream_id"] = f"analysis/{ids['analysis_id']}"
    ids |= {"tenant_id": str(tenant.tenant_id), "resource_id": ids["repository_id"]}
    ids["user_id"] = str(UUID(int=tenant.tenant_id.int + 1))
    invitation = await post(f"/tenants/{tenant.tenant_id}/invitations", {"login": tenant.word})
    share = await post(f"/repositories/{ids['repository_id']}/shares", {})
    ids |= {"invitation_id": invitation["invitation_id"], "share_id": share["share_id"]}
    await _with_push_hook(system, tenant)


async def _with_push_hook(system: System, tenant: Tenant) -> None:
    """Give the tenant's repository a push hook, as soon as the read models have the repository."""
    path = f"/api/v1/repositories/{tenant.ids['repository_id']}/push-hook"
    made = await eventually(
        lambda: system.client.post(path, headers=tenant.headers), lambda reply: reply.status_code == 201
    )
    tenant.ids["hook_id"] = made.json()["hook_id"]


def asked_by_header(system: System) -> None:
    """Let the running orchestrator take its identities from the header."""
    state = system.app.state
    state.services = replace(state.services, provider=ByHeader())


def shown_of(other: Tenant, reply: httpx.Response, asked: Mapping[str, Any]) -> set[str]:
    """What of another tenant a reply shows that the question did not say itself."""
    question = str(asked)
    return {mark for mark in other.marks if mark in reply.text + str(reply.headers) and mark not in question}
