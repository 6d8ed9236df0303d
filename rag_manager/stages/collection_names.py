"""Name the collection of a generation so that the name tells nothing to whoever sees the vector server alone.

In:  the tenant, the repository and the generation.
Out: a name that only this installation can find, and that no other tenant's ids lead to.
"""

import hmac
from uuid import UUID


class CollectionNames:
    """The names of one installation's collections; `key` stays in its database."""

    def __init__(self, installation: UUID, key: bytes) -> None:
        self._prefix = f"rs-{installation.hex[:12]}-"
        self._key = key

    def of(self, tenant_id: UUID, repository_id: UUID, generation_id: UUID) -> str:
        """The name of a generation's collection: always the same, 48 characters."""
        whose = tenant_id.bytes + repository_id.bytes + generation_id.bytes
        return self._prefix + hmac.digest(self._key, whose, "sha256").hex()[:32]

    def include(self, name: str) -> bool:
        """Whether a collection is this installation's, by this or an earlier way of naming."""
        return name.startswith(self._prefix)
