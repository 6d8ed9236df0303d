"""What a request's own code knows for its audit entry: who it is, and, rarely, how to call what was done."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from orchestrator.auth.identity import Identity

_KEY = "audit"


@dataclass(slots=True)
class Note:
    """Filled while a request is served; empty fields are read off the route and the answer.

    `sensitive` puts a request on record that only reads. `code` says why something was refused that is answered with
    a redirect, as a sign-in is. `idle` says that nothing was done: a request of anybody that found nothing to end.
    """

    identity: Identity | None = None
    scopes: tuple[str, ...] = ()
    action: str = ""
    target: str = ""
    code: str = ""
    sensitive: bool = False
    idle: bool = False


def begin_note(connection: HTTPConnection) -> Note:
    """A fresh note for a request that has just come in."""
    note = Note()
    connection.scope.setdefault("state", {})[_KEY] = note
    return note


def note_of(connection: HTTPConnection) -> Note:
    """The request's note; one that nobody reads where the request is not recorded."""
    note = connection.scope.get("state", {}).get(_KEY)
    return note if isinstance(note, Note) else Note()
