"""`ports.Turns` in memory. No time passes: a turn is had until it is passed on."""

from uuid import UUID

from ai_engine.ports import Turn


class MemoryTurns:
    """`of` is whose turn it is, of one question of one tenant each; `said` is how it was passed on."""

    def __init__(self) -> None:
        self.of: dict[tuple[UUID, str], UUID | Turn] = {}
        self.said: list[str] = []

    async def take(self, tenant_id: UUID, fingerprint: str, question_id: UUID, seconds: float) -> Turn:
        held = self.of.setdefault((tenant_id, fingerprint), question_id)
        if held in (question_id, Turn.OWN):
            return Turn.OWN
        return held if isinstance(held, Turn) else Turn.OF_ANOTHER

    async def give_back(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        if self._passes_on(tenant_id, fingerprint, question_id, "given back"):
            del self.of[tenant_id, fingerprint]

    async def end(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        if self._passes_on(tenant_id, fingerprint, question_id, "ended"):
            self.of[tenant_id, fingerprint] = Turn.OVER

    async def open(self, tenant_id: UUID, fingerprint: str, question_id: UUID) -> None:
        if self._passes_on(tenant_id, fingerprint, question_id, "opened"):
            self.of[tenant_id, fingerprint] = Turn.OWN

    def _passes_on(self, tenant_id: UUID, fingerprint: str, question_id: UUID, said: str) -> bool:
        is_whose = self.of.get((tenant_id, fingerprint)) == question_id
        self.said += [said] if is_whose else []
        return is_whose
