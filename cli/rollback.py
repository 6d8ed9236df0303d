"""`repostream rollback`: have an analysis searched by the vectors that served before, or by others that are kept."""

from cli.api import connect, refusal
from cli.exits import OK
from cli.moments import minute
from cli.plain import visible
from cli.retry import analysis_of
from cli.screen import tell
from runtime.client.shapes import KeptGeneration, KeptGenerations


def run_rollback(target: str, to: str | None, *, only_list: bool, as_json: bool) -> int:
    """Have one serve, or list them; returns the exit code. Raises ApiError."""
    api = connect()
    analysis_id = analysis_of(api, target)
    kept = api.generations_kept(analysis_id)
    if not only_list:
        # Named by its id: asked twice, it is the same one, and not the one of before that.
        kept = api.generations_activate(analysis_id, to or before(kept))
    tell(kept, lines_of(kept), as_json=as_json)
    return OK


def before(kept: KeptGenerations) -> str:
    """The id of the generation that served before the one that does. Raises ApiError where none is kept."""
    serving = {one.model for one in kept.items if one.serves}
    others = [one for one in kept.items if one.model not in serving]
    if not others:
        raise refusal(
            "generation_unknown", "Nothing is kept to go back to: no other embedder made vectors of it lately."
        )
    return next((one for one in others if one.asked), others[0]).generation_id


def lines_of(kept: KeptGenerations) -> list[str]:
    """One line a generation, and how to go to another."""
    lines = [_line(one, kept.wanted) for one in kept.items] or ["No full generation of it is there."]
    others = [one for one in kept.items if not one.serves and one.asked]
    if others:
        lines.append(f"Go to another by `repostream rollback {kept.analysis_id} --to {others[0].generation_id}`.")
    return lines


def _line(one: KeptGeneration, wanted: str) -> str:
    state = "serves" if one.serves else f"kept until {minute(one.kept_until)}" if one.kept_until else "kept"
    model = f"{visible(one.model)}{'' if one.model == wanted else ' (not the one that is set)'}"
    mute = "" if one.asked else ", whose questions nobody embeds: name it by REPOSTREAM_FORMER_EMBEDDER…"
    return f"{one.generation_id}  {state}  {one.vectors:,} vectors of {model}{mute}"
