"""Decide whether a generation that was built is the one to be searched from now on.

In:  what serves the repository now, and the candidate.
Out: yes or no.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from events.index import GenerationKind

_RANK = {GenerationKind.LEXICAL: 0, GenerationKind.QUICK: 1, GenerationKind.FULL: 2}


@dataclass(frozen=True)
class Serving:
    """A generation that serves or wants to. `requested_at` orders the analyses of a repository."""

    generation_id: UUID
    analysis_id: UUID
    kind: GenerationKind
    requested_at: datetime


def may_serve(candidate: Serving, current: Serving | None) -> bool:
    """Return whether `candidate` takes over from `current`. Pure.

    Within an analysis better follows worse. A newer analysis takes over once it is as good as a search needs (quick);
    merely lexical it replaces only what is lexical too. An older analysis never comes back.
    """
    if current is None:
        return True
    if candidate.analysis_id == current.analysis_id:
        return _RANK[candidate.kind] >= _RANK[current.kind]
    if candidate.requested_at < current.requested_at:
        return False
    return candidate.kind != GenerationKind.LEXICAL or current.kind == GenerationKind.LEXICAL
