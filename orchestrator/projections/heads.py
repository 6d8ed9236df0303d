"""What the clone says of the commit that was read. Pure."""

from collections.abc import Mapping

from pydantic import ValidationError

from orchestrator.api.models import HeadView


def head_of(said: Mapping[str, object]) -> HeadView | None:
    """What clone says of the commit; None where it cannot be read."""
    try:
        return HeadView.model_validate(
            {
                "ref": said.get("ref"),
                "default_branch": said.get("default_branch"),
                "authored_at": said.get("last_commit_at"),
                "subject": said.get("last_commit_subject"),
                "tree_cut": said.get("tree_cut", False),
                "out_of_scope": said.get("out_of_scope", 0),
            }
        )
    except ValidationError:
        return None
