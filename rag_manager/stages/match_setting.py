"""Find where a name is configured: where it is given a value, and the configuration files that name it.

In:  a name, texts, and whether each is of a configuration file.
Out: how well each text answers.
"""

import re
from collections.abc import Sequence

ASSIGNED_IN_CONFIGURATION, ASSIGNED, NAMED_IN_CONFIGURATION = 1.0, 0.9, 0.6


def match_setting(name: str, texts: Sequence[str], configuration: Sequence[bool]) -> list[float]:
    """Return the score of each text; 0.0 where it neither gives `name` a value nor is configuration naming it. Pure."""
    word = re.escape(name)
    given = re.compile(rf"(?<![\w.]){word}[\"'\]]*\s*(?::(?!:)|=(?!=)|:=|\?=)|\[[\"']{word}[\"']\]\s*=(?!=)|--{word}\b")
    named = re.compile(rf"(?<!\w){word}(?!\w)", re.IGNORECASE)
    return [_score(text, own, given, named) for text, own in zip(texts, configuration, strict=True)]


def _score(text: str, configuration: bool, given: re.Pattern[str], named: re.Pattern[str]) -> float:
    if given.search(text):
        return ASSIGNED_IN_CONFIGURATION if configuration else ASSIGNED
    return NAMED_IN_CONFIGURATION if configuration and named.search(text) else 0.0
