"""Collections of vectors as people read them. Pure."""

from runtime.client.shapes import CollectionRebuild, CollectionsState, Comparison, EarlierModel


def conclusion(state: CollectionsState) -> str:
    """One sentence: whether all of them have what was written to them."""
    if not state.wrong:
        return f"All {state.checked:,} collections have the vectors that were written to them."
    return f"Of {state.checked:,} collections {state.wrong:,} do not have the vectors that were written to them."


def rows(state: CollectionsState) -> list[dict[str, object]]:
    """One row for each that is damaged: whose it is, what it should have, and what it has."""
    return [
        {
            "Analysis": one.analysis_id,
            "Index": one.kind,
            "Vectors": one.vectors,
            "There": "missing" if one.held is None else f"{one.held:,}",
        }
        for one in state.damaged
    ]


def earlier(state: CollectionsState) -> list[str]:
    """A sentence for each model that serves though another one is set."""
    return [_earlier(one, state.wanted) for one in state.earlier]


def _earlier(one: EarlierModel, wanted: str) -> str:
    model = one.model or "a model without a name"
    meanwhile = "" if one.asked else "; their searches are by words alone"
    until = (
        f"since somebody went back to it from {wanted}" if one.chosen else f"until they are embedded anew by {wanted}"
    )
    return f"{one.analyses:,} analyses are served by {model} {until}{meanwhile}."


def outcome(done: CollectionRebuild) -> list[str]:
    """What a comparison or a rebuild that is done found, and what serves since."""
    if done.before is None:
        return []
    which = f"The {done.kind} index of analysis {done.analysis_id} ({done.model or 'a model without a name'})"
    said = [f"{which}: the collection that served {_found(done.before)}."]
    return [*said, f"The one that serves now {_found(done.after)}; nothing was embedded."] if done.after else said


def is_right(done: CollectionRebuild) -> bool:
    """Whether what serves now has what it should."""
    found = done.after or done.before
    return found is not None and found.agrees


def _found(found: Comparison) -> str:
    vectors = f"{found.vectors:,} vectors, checksum {found.checksum}"
    if found.held is None:
        return f"is not there, or cannot be read; it should have {vectors}"
    if found.agrees:
        return f"has all {vectors}"
    wrong = f"{found.missing:,} missing, {found.different:,} different, {found.extra:,} that are no one's"
    return f"has {wrong}, checksum {found.held_checksum}; it should have {vectors}"
