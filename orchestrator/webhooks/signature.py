"""Secrets and signatures in the form of Standard Webhooks (standardwebhooks.com). Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from uuid import UUID

_PREFIX = "whsec_"
SECRET_BYTES = 32


def shown(secret: bytes) -> str:
    """A secret as its owner keeps it."""
    return _PREFIX + base64.b64encode(secret).decode()


def signed_headers(secret: bytes, delivery_id: UUID, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers of an attempt: the id is the same at each; time (seconds since 1970) and signature are its own."""
    content = f"{delivery_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    return {
        "webhook-id": str(delivery_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
