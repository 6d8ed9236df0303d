"""`repostream rebuild collection`: the vectors of what serves, made again of the stored ones."""

from cli.api import connect
from cli.ask import find_repository
from cli.exits import FAILED, OK
from cli.retry import is_id
from cli.screen import tell
from cli.waiting import until_ended
from runtime.client.shapes import CollectionRebuild, CollectionRequest, Comparison


def run_collection(target: str, *, check: bool, as_json: bool) -> int:
    """Have it done and wait; 1 where something differs and is left so, or it failed. Raises ApiError."""
    api = connect()
    of = target if is_id(target) else find_repository(api, target)
    asked = api.collections_begin(CollectionRequest(of=of, replace=not check))
    named = f"Rebuild {asked.rebuild_id} is being done; it goes on where this is ended."
    done = until_ended(asked, lambda: api.collections_one(asked.rebuild_id), named=named)
    tell(done, lines_of(done), as_json=as_json)
    return OK if done.state == "done" and (done.replace or (done.before and done.before.agrees)) else FAILED


def lines_of(done: CollectionRebuild) -> list[str]:
    """What was found, and what was done."""
    if done.state != "done" or done.before is None:
        return [done.message or "It is still being done."]
    which = f"{done.kind} generation {done.generation_id} of analysis {done.analysis_id} ({done.model})"
    lines = [which, f"The collection that served: {_found(done.before)}"]
    if done.after is not None:
        return [*lines, f"The one that serves now: {_found(done.after)}; nothing was embedded"]
    right = done.before.agrees
    return lines if right else [*lines, f"Put it right with `repostream rebuild collection {done.generation_id}`."]


def _found(found: Comparison) -> str:
    vectors = f"{found.vectors:,} vectors, checksum {found.checksum}"
    if found.held is None:
        return f"is not there, or cannot be read; it should have {vectors}"
    if found.agrees:
        return f"has all {vectors}"
    wrong = f"{found.missing:,} missing, {found.different:,} different, {found.extra:,} that are no one's"
    return f"has {wrong}, checksum {found.held_checksum}; it should have {vectors}"
