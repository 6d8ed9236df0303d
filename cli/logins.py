"""What each service signs in to the embedded servers with, so that none has another's rights."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from runtime.embedded.child import make_folder, remembered_secret
from runtime.tenancy import DatabaseRole

_URLS = {
    "orchestrator": {
        "REPOSTREAM_DATABASE_URL": DatabaseRole.BACKGROUND,
        "REPOSTREAM_DATABASE_REQUESTS_URL": DatabaseRole.REQUESTS,
    },
    "processor": {"REPOSTREAM_DATABASE_URL": DatabaseRole.PROCESSOR},
    "ai_engine": {"REPOSTREAM_DATABASE_URL": DatabaseRole.AI_ENGINE},
    "rag_manager": {"REPOSTREAM_DATABASE_URL": DatabaseRole.RAG_MANAGER},
}

_CONNECT = "+ping +hello +auth +select +quit +reset +client|setinfo +client|setname +client|id +client|getname"
_CONSUME = "+xreadgroup +xack +xclaim +xautoclaim +xpending +xinfo +xrange +xgroup|create +eval +evalsha +script|load"
_SPEAK = "+xadd +expire +publish +subscribe +unsubscribe"
# The streams that each service consumes, and those on which it tells of its progress. What is sent along them is an
# event that PostgreSQL has already: a service that was taken over can read its own work, and no accounts or sessions.
_WORKER = f"resetchannels &es.wake -@all {_CONNECT} {_CONSUME} {_SPEAK}"
_NEWEST = "(~live.*.ticks -@all +hset +hdel)"  # of ticks, for whoever comes to look
# What processes share of searches, and nothing else, may be kept, read and removed.
_SHARED = "(~found.* -@all +get +set +del +hget +hset +expire +eval +evalsha)"
VALKEY_USERS = {
    "orchestrator": "~* &* +@all -@admin -@dangerous +info",  # it relays every topic
    "processor": (
        f"~stage.clone ~stage.metadata ~stage.structure ~stage.history ~stage.parse ~stage.link ~live.*.ticks {_WORKER}"
        f" {_NEWEST}"
    ),
    "rag_manager": (
        f"~stage.index ~stage.embed ~stage.activate ~stage.refine ~stage.promote ~erasure ~live.*.ticks"
        f" {_WORKER} {_NEWEST} {_SHARED}"
    ),
    "ai_engine": f"~questions ~live.*.answer.* ~circuit.* ~asking.* {_WORKER} +get +set +time",
}


def remembered_passwords(folder: Path) -> dict[str, str]:
    """The password of each role that signs in, kept in `folder`; made there where one is missing. Raises StartError."""
    make_folder(folder)
    roles = {role.value for urls in _URLS.values() for role in urls.values()}
    return {role: remembered_secret(folder / role) for role in sorted(roles)}


def database_urls(service: str, owner: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """The settings by which `service` reaches the database of `owner` (a URL) as its own roles; empty for the pages."""
    return {
        setting: signed_in(owner, role.value, passwords[role.value]) for setting, role in _URLS.get(service, {}).items()
    }


def signed_in(url: str, user: str, password: str) -> str:
    """`url` with another user."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()
