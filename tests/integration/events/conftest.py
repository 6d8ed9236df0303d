from collections.abc import AsyncIterator

import pytest

from tests.support.delivery import Kernel, a_kernel


@pytest.fixture
async def kernel(database_url: str, redis_url: str) -> AsyncIterator[Kernel]:
    async with a_kernel(database_url, redis_url) as kernel:
        yield kernel
