"""Differences, timelines, causes and choices of a history: what the inspector is made of."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from events.base import LOCAL_TENANT, Envelope
from events.replay.causation import links
from events.replay.choosing import Chosen, wants
from events.replay.difference import Change, Json, difference
from events.replay.timeline import runs
from tests.support.kernel import AT

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("a/~", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a/~b", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def _patched(state: Any, changes: Sequence[Change]) -> Any:
    """The state with the changes made to it, as somebody would who knows nothing but the changes."""
    state = json.loads(json.dumps(state))
    for change in sorted(changes, key=lambda one: one.kind == "removed"):
        if change.path == "":
            return change.after
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in change.path[1:].split("/")]
        holder = state
        for part in way:
            holder = holder[int(part)] if isinstance(holder, list) else holder[part]
        if isinstance(holder, list):
            if change.kind == "changed":
                holder[int(last)] = change.after
            elif change.kind == "added":
                holder.append(change.after)
            else:
                holder[int(last)] = _GONE
        elif change.kind == "removed":
            del holder[last]
        else:
            holder[last] = change.after
    return _swept(state)


_GONE = "\x00gone"


def _swept(state: Any) -> Any:
    if isinstance(state, list):
        return [_swept(item) for item in state if item != _GONE]
    return {key: _swept(item) for key, item in state.items()} if isinstance(state, dict) else state


@given(_JSON, _JSON)
def test_the_changes_lead_from_one_state_to_the_other(before: Json, after: Json) -> None:
    changes = list(difference(before, after))

    assert _patched(before, changes) == after
    assert (changes == []) == (before == after)
    assert len({change.path for change in changes}) == len(changes)


def test_each_change_names_its_place_and_what_stood_and_stands_there() -> None:
    before = {"state": "running", "runs": {"a/b": {"n": 1}}, "gone": 0}
    after = {"state": "ready", "runs": {"a/b": {"n": 1, "code": None}}, "list": [1]}

    assert list(difference(before, after)) == [
        ("/state", "changed", "running", "ready"),
        ("/runs/a~1b/code", "added", None, None),
        ("/list", "added", None, [1]),
        ("/gone", "removed", 0, None),
    ]


def _said(
    version: int, event_type: str, *, after: float = 0, cause: Envelope | None = None, **data: object
) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        event_type=event_type,
        stream_id="analysis/a",
        version=version,
        tenant_id=LOCAL_TENANT,
        correlation_id=uuid4(),
        causation_id=cause.event_id if cause else None,
        timestamp=AT + timedelta(seconds=after),
        data=data,
    )


def _stage(version: int, verb: str, after: float, shard: int = 0, attempt: int = 1, **data: object) -> Envelope:
    more = {"stage": "parse", "shard": shard, "attempt": attempt} | data
    return _said(version, f"processing.stage.{verb}", after=after, **more)


def test_waiting_is_told_apart_from_working_and_every_attempt_is_a_run_of_its_own() -> None:
    history = [
        _stage(1, "requested", 0),
        _stage(2, "requested", 0, shard=1),
        _stage(3, "started", 4, worker="one"),
        _stage(4, "started", 6, worker="two"),  # the first one died
        _stage(5, "failed", 9, code="host_unreachable"),
        _stage(6, "requested", 12, attempt=2, because="host_unreachable"),
        _stage(7, "started", 13, attempt=2, worker="two"),
        _stage(8, "completed", 20, attempt=2),
        _stage(9, "completed", 21, attempt=2),  # told twice: the first counts
        _stage(10, "completed", 21, shard=7),  # nobody asked for it
    ]
    first, other, second = runs(history)
    now = AT + timedelta(seconds=30)

    assert (first.outcome, first.code, first.waited(now), first.worked(now)) == ("failed", "host_unreachable", 4, 5)
    assert (first.requested_in, first.started_in, first.ended_in, first.worker) == (1, 3, 5, "two")
    assert (other.outcome, other.waited(now), other.worked(now)) == ("queued", 30, 0)
    assert (second.attempt, second.because, second.outcome) == (2, "host_unreachable", "completed")
    assert (second.waited(now), second.worked(now), second.ended_in) == (1, 7, 8)


def test_each_event_stands_below_what_led_to_it() -> None:
    first = _said(1, "repository.processing.requested")
    second = _said(2, "processing.stage.requested", cause=first)
    third = _said(3, "processing.stage.completed", cause=second)
    from_outside = _said(4, "processing.stage.started", cause=_said(1, "elsewhere"))
    before_its_cause = _said(5, "timer.fired").model_copy(update={"causation_id": from_outside.event_id})

    found = list(links([first, second, third, before_its_cause, from_outside]))
    assert [(one.envelope.version, one.cause.version if one.cause else None, one.depth) for one in found] == [
        (1, None, 0),
        (2, 1, 1),
        (3, 2, 2),
        (5, None, 0),
        (4, None, 0),
    ]


def test_events_are_chosen_by_type_stage_time_and_words() -> None:
    event = _stage(1, "failed", 5, message="The host is away", code="host_unreachable")
    at = AT + timedelta(seconds=5)

    for chosen in (
        Chosen(),
        Chosen(types=("processing.stage.failed",)),
        Chosen(stages=("parse",)),
        Chosen(since=at, until=at + timedelta(seconds=1)),
        Chosen(text="HOST away parse"),
    ):
        assert wants(chosen, event), chosen
    for chosen in (
        Chosen(types=("timer.fired",)),
        Chosen(stages=("embed",)),
        Chosen(until=at),
        Chosen(since=at + timedelta(microseconds=1)),
        Chosen(text="host here"),
    ):
        assert not wants(chosen, event), chosen
    assert Chosen().is_all
    assert not Chosen(text="a").is_all
