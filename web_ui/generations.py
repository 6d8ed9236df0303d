"""The generations of an index that are kept, as people read them. Pure."""

from datetime import tzinfo

from runtime.client.shapes import KeptGeneration, KeptGenerations
from web_ui.words import moment


def sentence(kept: KeptGenerations) -> str:
    """By which model it is searched; empty where nothing else is kept to go to."""
    serving = [one for one in kept.items if one.serves]
    if not serving or not choices(kept):
        return ""
    went = "" if serving[0].model == kept.wanted else f", though {kept.wanted} is set"
    return f"Searched by the vectors of {serving[0].model or 'a model without a name'}{went}."


def choices(kept: KeptGenerations) -> list[KeptGeneration]:
    """Those of other models that can be gone to: questions can be embedded by these."""
    serving = {one.model for one in kept.items if one.serves}
    return [one for one in kept.items if one.asked and one.model not in serving]


def label(one: KeptGeneration, wanted: str, zone: tzinfo) -> str:
    """What its button says."""
    until = f" (kept until {moment(one.kept_until, zone)})" if one.kept_until is not None else ""
    return f"Go {'forward' if one.model == wanted else 'back'} to {one.model or 'a model without a name'}{until}"
