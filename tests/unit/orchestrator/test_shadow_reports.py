"""What is written of a comparison can be stored, and an artifact that is too large is not even read."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.artifacts import ArtifactKind, ArtifactRef
from events.replay.tables import Compared
from orchestrator.adapters.shadow_reports import as_stored, compare, decided_anew
from orchestrator.projections.forks import MOST
from runtime.faults import Permanent
from runtime.objects import open_objects
from tests.support.analyses import refined_story

TEXTS = st.text(st.characters(exclude_categories=()), max_size=6)  # halves of characters, too
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary(max_size=4),
    lambda each: st.lists(each, max_size=3) | st.tuples(each) | st.dictionaries(TEXTS, each, max_size=3),
)


@example({"\0": ["a\0b", "\\u0000"]})
@example(["\ud800", float("nan"), b"\xff"])
@given(VALUES)
def test_whatever_rows_have_the_database_takes_it(value: object) -> None:
    written = json.dumps(as_stored(value), allow_nan=False, ensure_ascii=False)

    assert "\\u0000" not in written.replace("\\\\", "")
    assert written.encode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.integers() | st.booleans())
def test_what_it_takes_anyway_stays_as_it_is(value: object) -> None:
    assert as_stored({"a": [value]}) == {"a": [value]}


async def test_an_artifact_of_too_many_rows_is_refused_before_it_is_read(tmp_path: Path) -> None:
    live, shadow = (
        ArtifactRef(kind=ArtifactKind.EDGES, key=side, sha256=side, rows=rows, bytes=1)
        for side, rows in (("live", 10), ("shadow", 500_001))
    )

    async def made(_kind: ArtifactKind) -> bytes:
        raise AssertionError

    found: dict[ArtifactKind, Compared] = {}
    with pytest.raises(Permanent) as refused:
        await compare(open_objects("", tmp_path), found, [live], [shadow], made)

    assert refused.value.code == "shadow_too_large"
    assert "500,000 edges" in refused.value.message
    await compare(open_objects("", tmp_path), found, [shadow], [shadow], made)  # the same bytes
    assert found[ArtifactKind.EDGES].same == 500_001


def test_a_history_that_is_too_long_to_be_decided_on_anew_is_refused_by_name() -> None:
    history = refined_story().history
    assert decided_anew(history).agrees

    with pytest.raises(Permanent) as refused:
        decided_anew(history * (MOST // len(history) + 1))

    assert refused.value.code == "fork_too_long"
    assert "20,000 events" in refused.value.message
