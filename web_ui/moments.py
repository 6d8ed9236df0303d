"""The moments of a repository as the inspector is given them. Pure."""

from runtime.client.shapes import MomentsView


def rows(found: MomentsView) -> list[dict[str, object]]:
    """What the event list is given of a repository: its moments in their order, as the API tells them."""
    return [moment.model_dump(mode="json") for moment in found.items]
