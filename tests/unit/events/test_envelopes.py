"""An envelope of what the log wrote is the one that a validation would make."""

import copy
import pickle

from hypothesis import given
from hypothesis import strategies as st

from events.base import Envelope
from events.log.drafts import record
from events.log.sealed import Named, subjects_in
from tests.support.kernel import requested

STORED = record(requested(1), "analysis/x", 3, 7)


def test_what_is_recorded_is_as_it_would_be_validated() -> None:
    recorded = Envelope.recorded(dict(STORED.__dict__))

    assert recorded == STORED == Envelope.model_validate(recorded.model_dump())
    assert recorded.model_dump_json() == STORED.model_dump_json()
    assert recorded.model_copy(update={"version": 4}).version == 4
    assert copy.deepcopy(recorded) == pickle.loads(pickle.dumps(recorded)) == recorded


def test_other_data_and_another_place_leave_the_envelope_as_it_was() -> None:
    other, moved = STORED.with_data({"a": 1}, ("b",)), STORED.with_seq(8)

    assert (other.data, other.erased, other.event_id) == ({"a": 1}, ("b",), STORED.event_id)
    assert (moved.seq, moved.data) == (8, STORED.data)
    assert (STORED.seq, STORED.erased) == (7, ())
    assert other.with_data({}).erased == ("b",)


@given(st.lists(st.sampled_from(["t", "tr", "tru", "u", None]), max_size=8))
def test_the_keys_of_many_are_named_as_those_of_each(sealed_for: list[str | None]) -> None:
    named = Named()
    envelopes = [
        STORED.with_data({} if by is None else {"$sealed": {"by": by, "names": [], "text": "x"}}) for by in sealed_for
    ]

    assert [named.of(one) for one in envelopes] == [subjects_in(one) for one in envelopes]
