"""All names under which the stores besides PostgreSQL hold something, and whose each is: a tenant's, or nobody's.

A table's rows have their tenant by row-level security, which has tests of its own.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from redis.asyncio import Redis

from events.catalog import TOPICS
from events.log.wake import CHANNEL

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OWNED = re.compile(
    rf"live\.(?P<tenant>{_ID})\.(({_ID}\.)?ticks|answer\.{_ID})|found\.(?P<whose>{_ID})\.{_ID}(\.lease\.[0-9a-f]{{32}})?"
    rf"|asking\.(?P<asks>{_ID})\.[0-9a-f]{{64}}"
)
# Each with the reason why no tenant stands in it.
NOBODYS: Mapping[str, str] = {
    "|".join(map(re.escape, TOPICS)): "the transport: one order for all tenants; private fields are sealed in it",
    re.escape(CHANNEL): "says that something was committed, and nothing of what",
    r"auth:revoked:(upto|whole)": "how far the copy of what is revoked goes",
    rf"auth:revoked:{_ID}": "an id of a session, a grant or a token, which goes on in another tenant when it switches",
    r"circuit\..+": "whether a provider's model answers, which is so for all tenants",
    r"limits:open/(user|tenant)/.+": "how many streams somebody has open, in whichever tenant",
    r"limits:\{.+\}(/-1)?": "how much somebody asked for: one counter, whichever tenant they are in",
}


def without_tenant(names: Iterable[str], tenants: set[str]) -> list[str]:
    """Those of the names that have neither a tenant (of `tenants`) nor a reason to have none."""
    found = []
    for name in names:
        owned = _OWNED.fullmatch(name)
        if owned is not None and (owned["tenant"] or owned["whose"] or owned["asks"]) in tenants:
            continue
        if not any(re.fullmatch(pattern, name) for pattern in NOBODYS):
            found.append(name)
    return found


async def redis_names(url: str) -> set[str]:
    """Every key, and every channel that somebody listens to."""
    async with Redis.from_url(url) as redis:
        keys = {key.decode() async for key in redis.scan_iter(count=1_000)}
        return keys | {channel.decode() for channel in await redis.pubsub_channels()}


def unowned_files(folder: Path, tenants: set[str]) -> list[str]:
    """The files below `folder` whose first part (up to `/` or `.`) is none of `tenants`."""
    names = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    return [name for name in names if re.split(r"[/.]", name)[0] not in tenants]
