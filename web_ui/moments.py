"""The moments of a repository as the inspector is given them. Pure."""

from runtime.client.shapes import MomentsView


def rows(found: MomentsView) -> list[dict[str, object]]:
    """What the event list is given of a repository: its moments, numbered in their order."""
    return [
        {
            "version": number,
            "event_type": moment.event_type,
            "timestamp": moment.at.isoformat(),
            "stream_id": moment.stream_id,
            "data": {
                "analysis": (moment.analysis_id or "")[:8],
                "state": moment.state,
                "commit": moment.commit,
            },
        }
        for number, moment in enumerate(found.items, 1)
    ]
