"""The keys that sign sessions, for the databases of tests: to make one takes 60 ms, and each test would make its own.

Within a test all are different; the next test, with another database, is given the same again.
"""

from threading import Lock

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from orchestrator.auth import signing_keys


class SpareKeys:
    """Takes the place of what makes them in this process."""

    def __init__(self) -> None:
        self._make = signing_keys._new_key
        self._made: list[RSAPrivateKey] = []
        self._given = 0
        self._giving = Lock()
        signing_keys._new_key = self._next

    def begin_anew(self) -> None:
        """Another database comes."""
        self._given = 0

    def _next(self) -> RSAPrivateKey:
        with self._giving:
            if self._given == len(self._made):
                self._made.append(self._make())
            self._given += 1
            return self._made[self._given - 1]
