"""After how long something goes by itself, or how much of it is kept."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Days after which something goes, and how many analyses of a repository are kept; 0 keeps all of it for ever."""

    repository_days: int = 0
    ended_days: int = 0
    analyses_kept: int = 0
    analysis_days: int = 0
    conversation_days: int = 0
