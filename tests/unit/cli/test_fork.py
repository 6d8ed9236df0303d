"""What `repostream fork` prints."""

from cli.fork import lines_of
from runtime.client.shapes import ChangeView, DecisionView, ForkView, MissingView


def test_both_sides_of_a_decision_and_what_nobody_recorded_are_told() -> None:
    made = ForkView(
        stream_id="analysis/1",
        version=3,
        event_type="processing.stage.failed",
        real_events=9,
        fork_events=4,
        agrees=False,
        edited=[ChangeView(path="/kind", kind="changed", before="transient", after="permanent")],
        then=[],
        now=[ChangeView(path="/state", kind="changed", before="ready", after="failed")],
        decisions=[
            DecisionView(event_type="a", agrees=True, real="same", fork="same"),
            DecisionView(event_type="b", agrees=False, real="retry", fork=None),
        ],
        not_recorded=[
            MissingView(code="effect_not_recorded", what="run", stage="parse", shard=2, attempt=1),
            MissingView(code="effect_not_recorded", what="ai.query.processed"),
        ],
        events=[],
        unused=[5],
    )

    lines = lines_of(made)

    assert lines[0] == "analysis/1: 4 events, really 9; forked at 3 (processing.stage.failed)"
    assert '  ~ /kind  "transient" → "permanent"' in lines
    assert lines[lines.index("decisions: 1 as they were, 1 otherwise") + 1 :][:2] == [
        "  really  retry",
        "  fork    nothing",
    ]
    assert "  not recorded (effect_not_recorded): parse[2], attempt 1" in lines
    assert "  not recorded (effect_not_recorded): what came of it, ai.query.processed" in lines
    assert lines[-1] == "It went on otherwise."
