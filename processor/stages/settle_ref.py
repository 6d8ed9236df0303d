"""Find where a ref ends in what an address says after `/tree/`: refs have slashes too, and so have paths.

In:  `feature/x/src/app`, and which refs the host has.
Out: the ref and the path; the longest ref wins, as with the hosts themselves.
"""

from collections.abc import Collection

MOST = 20  # parts of a ref's name that are looked for: each is two names asked for


def names_in(rest: str) -> list[str]:
    """The full names of all branches and tags that `rest` may begin with, the shortest first."""
    parts = rest.split("/")
    shorter = ("/".join(parts[:end]) for end in range(1, min(len(parts), MOST) + 1))
    return [f"refs/{kind}/{name}" for name in shorter for kind in ("heads", "tags")]


def settle_ref(rest: str, known: Collection[str]) -> tuple[str, str] | None:
    """The ref that `rest` begins with and the path that follows; None where the host has none of them."""
    for full in reversed(names_in(rest)):
        if full in known:
            name = full.split("/", 2)[2]
            return name, rest[len(name) + 1 :]
    return None
