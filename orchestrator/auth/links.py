"""Secrets of links: 256 random bits behind a prefix that says what the link is. Kept as a hash alone."""

import hashlib
import re
import secrets

INVITATION = "rsi_"
SHARE = "rsl_"


def new_secret(prefix: str) -> str:
    """A secret that nobody can guess."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(prefix: str, secret: str) -> bytes | None:
    """What is kept of a secret of this kind; None for whatever cannot be one."""
    if re.fullmatch(rf"{prefix}[A-Za-z0-9_-]{{43}}", secret) is None:
        return None
    return hashlib.sha256(secret.encode()).digest()  # of 256 random bits: nothing is gained by a slow hash
