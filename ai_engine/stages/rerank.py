"""Have a model order what was found, and read the order that it gives.

In:  a question and the passages found; or what the model wrote.
Out: the prompt; or the passages in the new order, each with its place in it.
"""

import re
from collections.abc import Sequence

from ai_engine.stages.build_prompt import Prompt, Turn, quote_passage, spoken
from events.question import Passage, PlanStep, SearchReply

RERANK = "rerank"  # the name of its step in the plan, and of its place in the ranks
_SHOWN = 900  # characters of each passage: what it is, not all that it says
_MOST = 200  # characters of an order that are read


def ask_order(question: str, passages: Sequence[Passage], *, rules: str, name: str, boundary: str) -> Prompt:
    """What a model is asked: the passages, numbered from 1, each with its beginning. Pure."""
    shown = [
        f"Passage {number}\n{quote_passage(one.model_copy(update={'text': one.text[:_SHOWN]}), boundary)}"
        for number, one in enumerate(passages, 1)
    ]
    ask = "\n\n".join([*shown, f"Question: {spoken(question, boundary)}"])
    return Prompt(name, rules.replace("{boundary}", boundary), (Turn("user", ask),))


def read_order(reply: str, count: int) -> tuple[int, ...]:
    """The places (from 0) that a model named, each once; none where it wrote anything but numbers. Pure."""
    if not re.fullmatch(r"[\d\s,\[\]]+", reply.strip()[: _MOST + 1]) or len(reply.strip()) > _MOST:
        return ()
    named = [int(number) - 1 for number in re.findall(r"\d{1,3}", reply)]
    return tuple(dict.fromkeys(place for place in named if 0 <= place < count))


def reordered(found: SearchReply, order: Sequence[int], by: str) -> SearchReply:
    """The reply with its hits in the order, those that it leaves out behind it, and what stands beside them last. Pure.

    Without an order they stay as they are, and the plan says so: `by` then says who was asked, and what failed.
    """
    hits = [passage for passage in found.passages if passage.neighbour_of is None]
    beside = [passage for passage in found.passages if passage.neighbour_of is not None]
    left = [place for place in range(len(hits)) if place not in set(order)]
    ranked = [
        hits[place].model_copy(update={"ranks": hits[place].ranks | {RERANK: rank}})
        for rank, place in enumerate(order, 1)
    ]
    step = PlanStep(retriever=RERANK, found=len(order), about=by)
    passages = (*ranked, *(hits[place] for place in left), *beside)
    return found.model_copy(update={"passages": passages, "plan": (*found.plan, step)})


def is_ordered(found: SearchReply) -> bool:
    """Whether nobody was asked to order it, or somebody did: what is written of it otherwise is not as wanted. Pure."""
    return all(step.found for step in found.plan if step.retriever == RERANK)
