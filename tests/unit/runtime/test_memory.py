import sys

import psutil
import pytest

from runtime.memory import give_back


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps pages so")
def test_pages_between_what_is_in_use_are_given_back() -> None:
    held = [bytes(4_000) for _ in range(20_000)]
    kept = held[::40]  # all over the heap, so that none of it ends
    before = psutil.Process().memory_info().rss
    del held

    give_back()

    assert psutil.Process().memory_info().rss < before - 40_000_000
    assert len(kept) == 500
