from uuid import uuid4

from events.base import LOCAL_TENANT, Envelope
from events.upcasts import Data, upcast
from tests.support.kernel import AT


def an_envelope(version: int, **data: object) -> Envelope:
    return Envelope(
        event_id=uuid4(),
        event_type="a.thing",
        schema_version=version,
        stream_id="a/1",
        version=1,
        tenant_id=LOCAL_TENANT,
        correlation_id=uuid4(),
        timestamp=AT,
        data=data,
    )


def _named(data: Data) -> Data:
    return {**data, "name": "unknown"}


def _split(data: Data) -> Data:
    return {**data, "names": [data["name"]]}


STEPS = {("a.thing", 1): _named, ("a.thing", 2): _split}


def test_old_data_goes_through_every_step_to_the_newest_version() -> None:
    old = an_envelope(1, size=3)

    new = upcast(old, STEPS)

    assert (new.schema_version, new.data) == (3, {"size": 3, "name": "unknown", "names": ["unknown"]})
    assert (old.schema_version, old.data) == (1, {"size": 3})


def test_new_data_stays_as_it_is() -> None:
    new = an_envelope(3, names=[])

    assert upcast(new, STEPS) is new
    assert upcast(an_envelope(9), STEPS).schema_version == 9
