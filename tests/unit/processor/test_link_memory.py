"""What linking holds is gone when it is done."""

import gc

from processor.linking.symbols import Symbols
from tests.support.linking import linked


def test_nothing_that_was_known_of_definitions_outlives_a_link() -> None:
    gc.collect()
    before = sum(isinstance(one, Symbols) for one in gc.get_objects())
    gc.disable()  # else a collection by chance would do
    try:
        linked({"a.py": "def bark(): ...\n", "b.py": "from a import bark\nbark()\n"})
        after = sum(isinstance(one, Symbols) for one in gc.get_objects())
    finally:
        gc.enable()

    assert after == before
