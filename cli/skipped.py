"""`repostream skipped`: what was left out of a repository, or failed, each file with its reason and rule."""

import json
from collections.abc import Iterator

from cli.api import connect
from cli.ask import find_repository
from cli.exits import OK
from cli.paging import all_of
from cli.plain import one_line, visible
from cli.screen import Screen
from runtime.client import Client
from runtime.client.shapes import FileView
from runtime.reasons import REASONS

_PAGE = 500


def run_skipped(repository: str, *, reason: str | None, as_json: bool) -> int:
    """The command; returns its exit code. Raises ApiError where nothing answers, or it was not analysed."""
    api = connect()
    found = list(left_out(api, find_repository(api, repository), reason))
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found]))
        return OK
    console = Screen()
    for line in lines_about(found):
        console.say(line)
    return OK


def left_out(api: Client, repository_id: str, reason: str | None) -> Iterator[FileView]:
    """All of them, page by page."""
    return all_of(
        lambda cursor: api.contents_repository_skipped(repository_id, reason=reason, cursor=cursor, limit=_PAGE)
    )


def lines_about(found: list[FileView]) -> Iterator[str]:
    """By reason, most files first: what the reason means, then a line for each file with the rule that decided."""
    if not found:
        yield "Nothing was left out."
    by_reason: dict[str, list[FileView]] = {}
    for file in found:
        by_reason.setdefault(file.failed or file.skipped or "", []).append(file)
    for code, files in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        known = REASONS.get(code)
        yield f"{code}: {len(files):,}" + (f". {known.sentence}" if known is not None else "")
        if known is not None and known.may_be_read:
            yield "  (read all the same with: repostream analyze URL --include PATTERN)"
        for file in files:
            rule = f"  ({visible(file.rule)})" if file.rule else ""
            yield f"  {one_line(file.path)}{rule}"
