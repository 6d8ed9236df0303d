"""Lists that are read a page at a time, with a button for more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

import streamlit as st

from web_ui.session import attempt

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class PageOf(Protocol[Item_co]):
    """A page of any list of the API."""

    @property
    def items(self) -> Sequence[Item_co]:
        """What is on it."""

    @property
    def next(self) -> str | None:
        """The cursor of the page after it."""


@dataclass(frozen=True)
class Listed(Generic[Item]):
    """What was read so far, whether there is more, and how much there is in all where the API says it."""

    items: list[Item]
    has_more: bool
    total: int


def read(key: str, fetch: Callable[[str | None], PageOf[Item]]) -> Listed[Item] | None:
    """As many pages as were asked for under `key`, the first one at first. None where the API refuses one: it is told.

    `fetch` takes the cursor of a page.
    """
    found: list[Item] = []
    cursor, total = None, 0
    for _ in range(st.session_state.get(key, 1)):
        page = attempt(partial(fetch, cursor))
        if page is None:
            return None
        found.extend(page.items)
        cursor, total = page.next, getattr(page, "total", len(found))
        if cursor is None:
            break
    return Listed(found, cursor is not None, total)


def more(key: str, listed: Listed[Item], label: str = "Show more") -> None:
    """The button for one page more, where there is one."""
    if listed.has_more and st.button(label, key=f"more-{key}"):
        st.session_state[key] = st.session_state.get(key, 1) + 1
        st.rerun()
