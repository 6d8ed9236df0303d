"""What happens to a repository as such."""

from typing import ClassVar

from events.base import Event


class RepositoryRegistered(Event):
    """Somebody named a repository for the first time. `url` is the rebuilt, checked one."""

    event_type: ClassVar[str] = "repository.registered"
    url: str
    host: str
    name: str


class RepositoryDeleted(Event):
    """Its owner had it deleted."""

    event_type: ClassVar[str] = "repository.deleted"
