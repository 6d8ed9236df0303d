"""Lists of the API, read to their end."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Page(Protocol[T_co]):
    """A part of a list; `next` is the cursor of the part after it."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is in it."""

    @property
    def next(self) -> str | None:
        """None where it is the last one."""


def all_of(page_at: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """Everything in a list whose pages `page_at` reads, from None on. Raises what `page_at` raises."""
    page = page_at(None)
    yield from page.items
    while page.next is not None:
        page = page_at(page.next)
        yield from page.items
