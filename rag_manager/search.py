"""Search: the lexical and the dense ranking at once, fused and ranked in two steps, then the text of what was chosen.

Works from the index stage on. Where the vectors of a generation cannot be asked, the lexical ranking answers alone and
the reply says why.
"""

import asyncio
import time
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from events.index import GenerationKind
from events.question import Evidence, Passage, SearchReply, SearchRequest
from rag_manager.dense_search import Dense, DenseSearch
from rag_manager.former import FormerEmbedders
from rag_manager.jobs.base import Turns, Urgency
from rag_manager.ports import Embedder, SharedMemory, Vectors
from rag_manager.remembering import (
    KEPT,
    MOST_KEPT,
    Asked,
    Form,
    Recalled,
    Remembered,
    asked_of,
    may_be_kept,
    reply_shape,
)
from rag_manager.rows.graph import calls_of, edges_around, has_graph
from rag_manager.rows.reading import IndexChanged, Served
from rag_manager.scoping import Chunks, best_by_words, scope_of
from rag_manager.serving import Index, Loaded
from rag_manager.stages.callers_beside import called_in, callers_beside
from rag_manager.stages.catalogue import Catalogue
from rag_manager.stages.code_tokens import code_tokens
from rag_manager.stages.follow_relation import Edge
from rag_manager.stages.put_forward import CANDIDATES, Forward, put_forward, words_looked_for
from rag_manager.stages.rank import Ranked, Rankings, Weights, rank
from rag_manager.stages.read_question import MAX_TOKENS, Question, read_question
from rag_manager.stages.show_passages import chunks_wanted, show_passages
from rag_manager.stages.vote_for_files import Votes, vote_for_files
from rag_manager.stages.weigh_evidence import weigh_evidence
from runtime.faults import Transient

LEXICAL_DEPTH = 200  # chunks that the lexicon hands to the fusion
MAX_LIMIT = 50
MAX_QUERY = 8_000  # characters of a question that are read
_STATES = 5  # of an index that changes under a search, before that is given up

_REPLY = Form[SearchReply](lambda reply: reply.model_dump_json().encode(), SearchReply.model_validate_json)


@dataclass(frozen=True)
class _Found:
    """`scores`: retriever → chunk → its own score."""

    ranked: Ranked
    evidence: Evidence
    scores: Mapping[str, Mapping[int, float]]


class Search:
    """Answers search requests in an index. `embedders` by generation kind; `former` has those of older generations.

    `remote` names the models that are somebody else's.
    """

    def __init__(  # noqa: PLR0913  # the parts that it is made of
        self,
        index: Index,
        vectors: Vectors,
        embedders: Mapping[GenerationKind, Embedder],
        turns: Turns,
        *,
        former: FormerEmbedders | None = None,
        weights: Weights | None = None,
        shared: SharedMemory | None = None,
        remote: Collection[str] = (),
    ) -> None:
        self._index = index
        self._turns = turns
        self._weights = weights or Weights()
        self._remote = frozenset(remote)
        self.dense = DenseSearch(vectors, embedders, former, self._weights, remote=self._remote, shared=shared)
        replies = Remembered[Asked, SearchReply]("searches", most=MOST_KEPT, seconds=KEPT)
        self._replies = Recalled(replies, "searches", shared, _REPLY)

    async def __call__(self, request: SearchRequest) -> SearchReply:
        """Return the passages that match best, all of one state of the index.

        Raises Transient `not_indexed_yet`, Permanent `no_such_analysis` or `nothing_in_scope`.
        """
        for _ in range(_STATES):
            try:
                return await self._answer(request)
            except IndexChanged:
                continue
        raise Transient("not_indexed_yet", "The index of this repository changes too fast: ask again in a moment.")

    def keep(self, there: Container[tuple[UUID, UUID, str]]) -> None:
        """Let go of replies of analyses that are not `there` (tenant, analysis, digest of its lexicon) any more."""
        self._replies.keep(there)
        self.dense.keep(there)

    async def _answer(self, request: SearchRequest) -> SearchReply:
        began = time.perf_counter()
        served = await self._index.served(request, self._remote)
        asked = (
            request.query[:MAX_QUERY],
            request.limit,
            str(request.scope),
            request.budget,
            served.told,
            reply_shape(),
        )
        reply = await self._replies.get(
            asked_of(request, served, asked), lambda: self._search(request, served), keeps=may_be_kept
        )
        return reply.model_copy(update={"took_ms": round((time.perf_counter() - began) * 1_000, 2)})

    async def _search(self, request: SearchRequest, served: Served) -> SearchReply:
        with self._turns.working(Urgency.QUESTION):
            loaded = await self._index.get(request.tenant_id, served)
            question = read_question(request.query[:MAX_QUERY])
            scope = await scope_of(request, loaded.catalogue)
            dense, hits = await asyncio.gather(
                self.dense(request, served, question, loaded.catalogue, scope),
                asyncio.to_thread(best_by_words, loaded.lexicon, question.tokens, LEXICAL_DEPTH, scope),
            )
            limit = max(1, min(request.limit, MAX_LIMIT))
            forward = await self._forward(request, served, question, loaded, scope)
            votes = await self._votes(request, served, question, loaded)
            rankings = replace(_rankings(hits, dense, forward, scope), votes=votes)
            found = await asyncio.to_thread(self._rank, question, rankings, dense, loaded, limit)
            picked = found.ranked.passages
            chosen = [item.chunk for item in picked]
            callers, settled = await self._callers(request, served, question, loaded.catalogue, chosen)
            wanted = await asyncio.to_thread(chunks_wanted, chosen, loaded.catalogue, scope, callers)
            texts = await self._index.texts(request.tenant_id, served, wanted)
            passages = await asyncio.to_thread(
                show_passages, picked, texts, loaded.catalogue, found.scores, budget=request.budget, callers=callers
            )
        return SearchReply(
            analysis_id=served.analysis_id,
            commit=served.commit,
            generation_id=served.generation_id,
            generation_kind=GenerationKind.LEXICAL if dense.degraded else served.kind,
            model=None if dense.degraded else served.model,
            passages=passages,
            took_ms=0.0,
            degraded=dense.degraded,
            evidence=found.evidence,
            plan=found.ranked.plan,
            lexicon_sha256=served.lexicon_sha256,
            settled=settled,
            line_counts=_line_counts(passages, loaded.catalogue),
        )

    async def _callers(  # of what is found, by whom, and what else is asked for
        self, request: SearchRequest, served: Served, question: Question, catalogue: Catalogue, chosen: Sequence[int]
    ) -> tuple[dict[int, tuple[int, ...]], bool]:
        """Who calls the first of what was found; and whether it is known, as it is once the graph is made."""
        asked = called_in(chosen, catalogue)
        if not asked:
            return {}, True
        calls, absent = await calls_of(self._index.rows, request.tenant_id, served.analysis_id, asked)
        return callers_beside(asked, calls, catalogue, question.asked), not absent

    async def _forward(  # what is asked, and of what
        self, request: SearchRequest, served: Served, question: Question, loaded: Loaded, scope: Chunks
    ) -> tuple[Forward, ...]:
        """What the question asks for outright: the text of a message, the edges around a name."""
        rows, texts, edges, absent = self._index.rows, dict[int, str](), list[Edge](), False
        wanted = words_looked_for(question)
        if wanted is None and question.relation is None:
            return ()
        if wanted is not None:
            tokens = list(dict.fromkeys(code_tokens(wanted)))[:MAX_TOKENS]
            hits = await asyncio.to_thread(best_by_words, loaded.lexicon, tokens, CANDIDATES, scope)
            candidates = [chunk for chunk, _ in hits]
            found = await self._index.texts(request.tenant_id, served, candidates)
            texts = {chunk: found[chunk].text for chunk in candidates if chunk in found}
        elif question.relation is not None:
            edges = await edges_around(rows, request.tenant_id, served.analysis_id, question.relation)
            absent = not edges and not await has_graph(rows, request.tenant_id, served.analysis_id)
        forward = await asyncio.to_thread(put_forward, question, texts, edges, loaded.catalogue, scope)
        return tuple(replace(each, absent=absent) for each in forward)

    async def _votes(self, request: SearchRequest, served: Served, question: Question, loaded: Loaded) -> Votes | None:
        """What earlier changes speak for, where the history is there."""
        earlier = await self._index.changes.of(request.tenant_id, served)
        if earlier is None:
            return None
        nearest = await asyncio.to_thread(earlier.nearest, question.tokens)
        return vote_for_files(nearest, question, loaded.catalogue)

    def _rank(self, question: Question, rankings: Rankings, dense: Dense, loaded: Loaded, limit: int) -> _Found:
        words = rankings.scores["lexical"]
        frequencies, best = loaded.lexicon.frequencies(question.tokens), next(iter(words.values()), 0.0)
        evidence = weigh_evidence(question, frequencies, len(loaded.catalogue.chunk_ids), best, dense.similarities)
        ranked = rank(question, rankings, loaded.catalogue, limit=limit, weights=self._weights)
        forward = {each.retriever: dict(each.found) for each in rankings.forward}
        return _Found(ranked, evidence, {**rankings.scores, **forward})


def _rankings(hits: Sequence[tuple[int, float]], dense: Dense, forward: tuple[Forward, ...], scope: Chunks) -> Rankings:
    scores = {"lexical": dict(hits), "dense": dict(zip(dense.chunks, dense.similarities, strict=True))}
    return Rankings([chunk for chunk, _ in hits], dense.chunks, dense.weight, forward, scope, scores)


def _line_counts(passages: Sequence[Passage], catalogue: Catalogue) -> dict[str, int]:
    """Path → lines, of the files of passages."""
    paths = {passage.path for passage in passages}
    return {path: catalogue.lines[path] for path in paths if path in catalogue.lines}
