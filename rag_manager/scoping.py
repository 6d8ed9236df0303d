"""What a search is limited to, and the best by their words within it."""

import asyncio
from collections.abc import Sequence

from events.question import SearchRequest
from rag_manager.ports import OpenLexicon
from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.limit_scope import limit_scope
from runtime.faults import Permanent

Chunks = frozenset[int] | None  # that a search is limited to; None for all


async def scope_of(request: SearchRequest, catalogue: Catalogue) -> Chunks:
    """The chunks of a request's scope. Raises Permanent `nothing_in_scope`."""
    if request.scope is None:
        return None
    scope = await asyncio.to_thread(limit_scope, request.scope, catalogue)
    if not scope:
        raise Permanent(
            "nothing_in_scope", "Nothing that is indexed is in that scope: check the folder, file, language or name."
        )
    return scope


def best_by_words(lexicon: OpenLexicon, tokens: Sequence[str], depth: int, scope: Chunks) -> list[tuple[int, float]]:
    """The best by their words; in a scope as many, however many others are better."""
    asked = depth
    while True:
        hits = lexicon.search(tokens, asked)
        found = [hit for hit in hits if scope is None or hit[0] in scope][:depth]
        if scope is None or len(hits) < asked or len(found) in {depth, len(scope)}:
            return found
        asked *= 4
