"""HTTP off the wire, with a problem (RFC 9457) even for what is no HTTP: the application never sees that."""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_BODY = json.dumps(
    {
        "type": "urn:repostream:problem:invalid_request",
        "title": "The request cannot be read",
        "status": 400,
        "detail": "It is not HTTP, or its first line and headers are longer than 64 KiB.",
        "code": "invalid_request",
        "correlation_id": "",
    }
).encode()
_HEAD = (
    "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n"
    f"content-length: {len(_BODY)}\r\nconnection: close\r\n\r\n"
).encode()


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's own, but for what it says to a request that it cannot read."""

    def send_400_response(self, msg: str) -> None:
        """Say that it cannot be read, and hang up."""
        self.transport.write(_HEAD + _BODY)
        self.transport.close()
