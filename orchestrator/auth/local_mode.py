"""Local mode: whoever reaches this process is the one user of this machine. Never beside a mark of production."""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from events.base import LOCAL_TENANT, LOCAL_USER
from orchestrator.auth.identity import ALL_SCOPES, Identity, is_loopback
from runtime.faults import Permanent

FLAG = "REPOSTREAM_LOCAL_SIGN_IN"


@dataclass(frozen=True)
class Exposure:
    """What decides whether others could reach this installation, as it is configured."""

    providers: Collection[str]  # those that people can sign in with
    binds: Collection[str]  # the addresses that services which people talk to listen on
    names: Collection[str]  # further host names that they answer to
    origins: Collection[str]  # pages elsewhere that may change things
    in_cluster: bool = False


def production_marks(found: Exposure) -> list[str]:
    """Whatever says that this is no laptop's own installation, each as a part of a sentence."""
    marks = [f"the sign-in “{name}” is configured" for name in found.providers]
    marks += [f"it would listen on {bind}, where others can reach it" for bind in found.binds if not is_loopback(bind)]
    marks += [f"it would answer to the name {name}" for name in found.names if not is_loopback(name)]
    marks += [f"pages of {origin} may change things" for origin in found.origins if not _is_local_origin(origin)]
    if found.in_cluster:
        marks.append("it runs in a cluster")
    return marks


def settle(*, flag: bool, found: Exposure) -> bool:
    """Whether the local user is signed in by being there. Raises SystemExit where that would be wrong, or nobody could.

    Without the flag, one provider must be configured; with it, nothing may point to production.
    """
    if flag and (marks := production_marks(found)):
        raise SystemExit(
            f"{FLAG} signs in whoever reaches this machine, but {'; '.join(marks)}. "
            f"Unset {FLAG} and configure a sign-in, or keep everything on 127.0.0.1."
        )
    if not flag and not found.providers:
        raise SystemExit(
            "The orchestrator has no sign-in configured, so nobody could use it. "
            f"Configure one, or set {FLAG}=true for an installation on this machine alone."
        )
    return flag


class LocalProvider:
    """Everybody who reaches this process is the one local user; therefore only this machine may reach it."""

    async def identify(self, connection: HTTPConnection) -> Identity:
        """The local user. Raises Permanent `not_local` for a request that came from elsewhere, or by another name."""
        ends = [connection.scope.get("server"), connection.scope.get("client")]
        forwarded = [
            part.strip() for value in connection.headers.getlist("x-forwarded-for") for part in value.split(",")
        ]
        if not all(end and is_loopback(str(end[0])) for end in ends) or not all(map(is_loopback, forwarded)):
            raise Permanent("not_local", "This installation has no sign-in: it answers on this machine only.")
        return Identity(LOCAL_USER, LOCAL_TENANT, "You", ALL_SCOPES)


def _is_local_origin(origin: str) -> bool:
    host = origin.partition("://")[2]
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return is_loopback(name)
