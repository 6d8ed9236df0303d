import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from orchestrator.api.paging import ANALYSES, FEED, FILES, LONGEST, SYMBOLS, CursorOf
from orchestrator.api.problems import ApiProblem

ID = UUID("00000000-0000-4000-8000-00000000abcd")


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_a_cursor_names_the_place_it_was_written_for() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

    assert ANALYSES.read(ANALYSES.write((at, ID))) == (at, ID)
    assert FILES.read(FILES.write(("src/ü b?.py",))) == ("src/ü b?.py",)
    assert SYMBOLS.read(SYMBOLS.write((3, 17))) == (3, 17)
    assert FILES.read(None) is None


def test_the_cursor_of_the_longest_path_is_not_refused_for_its_length() -> None:
    assert len(FILES.write(("x" * 4_096,))) <= LONGEST


@pytest.mark.parametrize(
    ("cursors", "cursor"),
    [
        (FILES, ""),
        (FILES, "src/app.py"),
        (FILES, "%%%"),
        (FILES, "ÿ"),
        (FILES, forged("files")),
        (FILES, forged("files", "a", "b")),
        (FILES, forged("files", 7)),
        (FILES, forged("files", "a\x00b")),
        (FILES, base64.urlsafe_b64encode(b'["files","\\ud800"]').decode().rstrip("=")),
        (FILES, base64.urlsafe_b64encode(b"[" * 3_000).decode().rstrip("=")),
        (FILES, base64.urlsafe_b64encode(b"7").decode().rstrip("=")),
        (FILES, forged("symbols", 1, 2)),
        (SYMBOLS, forged("symbols", 1, 2**40)),
        (SYMBOLS, forged("symbols", -1, 2)),
        (FEED, forged("feed", 2**70)),
        (ANALYSES, forged("analyses", "yesterday", str(ID))),
        (ANALYSES, forged("analyses", "2026-03-01T12:00:00", str(ID))),
        (ANALYSES, forged("analyses", "0001-01-01T00:00:00+14:00", str(ID))),
        (ANALYSES, forged("analyses", "9999-12-31T23:59:59-14:00", str(ID))),
        (ANALYSES, forged("analyses", "2026-03-01T12:00:00Z", "x")),
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused_with_its_code(cursors: CursorOf[tuple[object]], cursor: str) -> None:
    with pytest.raises(ApiProblem) as refused:
        cursors.read(cursor)

    assert refused.value.code == "bad_cursor"
