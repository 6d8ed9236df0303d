"""A rebuild of the read models as people read it. Pure."""

from runtime.client.shapes import RebuildView, RebuiltTable


def conclusion(rebuild: RebuildView) -> str:
    """One sentence: what came out, or that it is still to come."""
    if rebuild.state == "asked":
        return "The read models are being built again beside those that serve. You may leave the page."
    if rebuild.state == "failed":
        return rebuild.message or "It could not be done."
    if rebuild.agrees:
        return "Every row is what the log says."
    return "What differed was replaced." if rebuild.replace else "Some rows are not what the log says."


def rows(rebuild: RebuildView) -> list[dict[str, object]]:
    """One row a table: how many rows it had and has, whether they are the same, of how many things they are not."""
    return [_row(table) for each in rebuild.projections for table in each.tables]


def _row(table: RebuiltTable) -> dict[str, object]:
    same = "the same" if not table.differing else f"differed for {table.differing:,}"
    return {"Table": table.table, "Rows": table.rows, "Built again": table.rebuilt, "Compared": same}
