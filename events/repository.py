"""What happens to a repository as such."""

from collections.abc import Mapping
from typing import ClassVar

from events.base import ERASED, Event


class RepositoryRegistered(Event):
    """Somebody named a repository, or a folder of one, for the first time. `url` is the rebuilt, checked one."""

    event_type: ClassVar[str] = "repository.registered"
    private: ClassVar[Mapping[str, object]] = {"url": ERASED, "host": ERASED, "name": ERASED, "folder": ERASED}
    url: str
    host: str
    name: str
    folder: str = ""


class RepositoryDeleted(Event):
    """Its owner had it deleted; or a policy did, which `policy` then names: the setting and its value."""

    event_type: ClassVar[str] = "repository.deleted"
    policy: str = ""
