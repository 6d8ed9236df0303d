"""What the clone says of the commit that was read. Pure."""

from collections.abc import Mapping

from pydantic import ValidationError

from orchestrator.api.models import HeadView

_SAID = ("ref", "default_branch", "tree_cut", "out_of_scope", "login_refused")


def head_of(said: Mapping[str, object]) -> HeadView | None:
    """What clone says of the commit; None where it cannot be read."""
    commit = {"authored_at": said.get("last_commit_at"), "subject": said.get("last_commit_subject")}
    try:
        return HeadView.model_validate({**{name: said[name] for name in _SAID if name in said}, **commit})
    except ValidationError:
        return None
