"""Collections of vectors as people read them. Pure."""

from runtime.client.shapes import CollectionsState, EarlierModel


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
