"""`repostream rebuild`: the read models, made again of the log and the artifacts."""

import math

from cli.api import connect
from cli.exits import FAILED, OK
from cli.screen import tell
from cli.waiting import until_ended
from runtime.client import Client
from runtime.client.shapes import RebuildRequest, RebuildView, RebuiltProjection, RebuiltTable


def run_read_models(*, check: bool, as_json: bool) -> int:
    """Have it done and wait; 1 where something differs and is left so, or it failed. Raises ApiError."""
    done = wait_for(connect(), replace=not check)
    tell(done, lines_of(done), as_json=as_json)
    return OK if done.state == "done" and (done.agrees or done.replace) else FAILED


def wait_for(api: Client, *, replace: bool, seconds: float = math.inf) -> RebuildView:
    """Ask for a rebuild; as it is once it ended, or after so many seconds."""
    asked = api.rebuilds_begin(RebuildRequest(replace=replace))
    named = f"Rebuild {asked.rebuild_id} is being done; it goes on where this is ended." if math.isinf(seconds) else ""
    return until_ended(asked, lambda: api.rebuilds_one(asked.rebuild_id), seconds, named=named)


def lines_of(done: RebuildView) -> list[str]:
    """What was found, a line a table that differs, and one in all."""
    if done.state != "done":
        return [done.message or "It is still being done."]
    lines = [_told(each) for each in done.projections]
    tables = [table for each in done.projections for table in each.tables if table.differing]
    lines += [line_of(table, replaced=done.replace) for table in tables]
    return [*lines, "Every row was what the log says." if done.agrees else _conclusion(done)]


def _told(each: RebuiltProjection) -> str:
    rows = sum(table.rebuilt for table in each.tables)
    return f"{each.projection}: {rows:,} rows of {each.events:,} events in {each.seconds:.1f} s"


def line_of(table: RebuiltTable, *, replaced: bool) -> str:
    """One table that differs."""
    became = "replaced" if replaced else "left as they are"
    shown = ", ".join(str(id_) for id_ in table.ids[:3]) + (", …" if table.differing > 3 else "")
    what = f"{table.table}: {table.rows:,} rows, {table.rebuilt:,} rebuilt"
    return f"{what}; of {table.differing:,} ids they differed and are {became}: {shown}"


def _conclusion(done: RebuildView) -> str:
    if done.replace:
        return "What differed was replaced."
    return "Put it right with `repostream rebuild read-models`."
