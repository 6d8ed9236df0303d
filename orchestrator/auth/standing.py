"""What somebody is in a tenant at this moment: asked of the database, and remembered for a few seconds."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from orchestrator.auth.identity import Role

REMEMBERED = 3.0  # seconds: with what else takes time, whatever is taken away from somebody is gone within five
_MOST = 10_000
# Of a person u who is a member m of a tenant t: shared by everything that lets somebody in.
STANDING_COLUMNS = "u.name, u.login, u.admin, u.provider, u.subject, m.role"
STANDING_JOIN = """
    JOIN auth.users u ON u.user_id = {of}.user_id AND u.suspended_at IS NULL AND u.deleted_at IS NULL
    JOIN auth.tenants t ON t.tenant_id = {of}.tenant_id AND t.deleted_at IS NULL
"""
_QUERY = f"""
    SELECT {STANDING_COLUMNS} FROM auth.members m {STANDING_JOIN.format(of="m")}
    WHERE m.user_id = :user_id AND m.tenant_id = :tenant_id
"""  # noqa: S608  # constants of ours
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Standing:
    """A person in a tenant. `github_id` is None for people of another provider."""

    name: str
    role: Role
    admin: bool
    github_id: int | None


class Remembered(Generic[K, V]):
    """What was found a moment ago, by key; at most some thousands of entries."""

    def __init__(self, seconds: float = REMEMBERED, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._found: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        """What is remembered of `key`."""
        value, until = self._found.get(key, (None, 0.0))
        return value if self._clock() < until else None

    def put(self, key: K, value: V) -> V:
        """Remember `value`, and hand it back."""
        if len(self._found) >= _MOST:
            now = self._clock()
            self._found = {k: entry for k, entry in self._found.items() if now < entry[1]}
            if len(self._found) >= _MOST:
                self._found.clear()
        self._found[key] = (value, self._clock() + self._seconds)
        return value

    def forget(self, test: Callable[[V], bool]) -> None:
        """Forget whatever `test` is true of."""
        self._found = {key: entry for key, entry in self._found.items() if not test(entry[0])}

    def clear(self) -> None:
        """Forget everything."""
        self._found.clear()


class Standings:
    """People in tenants, as `auth.users` and `auth.members` have them."""

    def __init__(self, engine: AsyncEngine, remembered: float = REMEMBERED) -> None:
        """`remembered` is for how many seconds what was found counts."""
        self._engine = engine
        self._remembered: Remembered[tuple[UUID, UUID], Standing] = Remembered(remembered)

    async def of(self, user_id: UUID, tenant_id: UUID) -> Standing | None:
        """What the person is in the tenant; None where they are no member, suspended or gone."""
        key = (user_id, tenant_id)
        found = self._remembered.get(key)
        if found is not None:
            return found
        async with self._engine.connect() as connection:
            rows = await connection.execute(text(_QUERY), {"user_id": user_id, "tenant_id": tenant_id})
            row = rows.mappings().first()
        return self._remembered.put(key, standing_of(row)) if row is not None else None

    def forget(self) -> None:
        """Ask the database again: somebody is gone."""
        self._remembered.clear()


def standing_of(row: RowMapping) -> Standing:
    """The standing in a row with STANDING_COLUMNS."""
    is_github = row["provider"] == "github" and str(row["subject"]).isdecimal()
    return Standing(
        name=row["name"] or row["login"],
        role=Role(row["role"]),
        admin=row["admin"],
        github_id=int(row["subject"]) if is_github else None,
    )
