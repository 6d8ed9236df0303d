"""What is limited, for whom, and how the settings write it down.

In:  `user:1200/minute tenant:6000/minute`, or `user:100` for what is counted while it lasts.
Out: rules, narrowest subject first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from limits import RateLimitItemPerSecond, parse


class Resource(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    ANALYSES = "analyses"
    LOOKUPS = "look-ups at hosts"
    UPLOADS = "uploads"
    QUESTIONS = "questions"
    BYTES = "bytes"  # of request and answer bodies
    SIGN_INS = "sign-ins"
    SIGN_OUTS = "sign-outs"
    INVITATIONS = "looks at invitations"
    SWITCHES = "switches of the tenant"
    REFRESHES = "refreshes of tokens"
    GRANTS = "new keys, programs and links"
    REDELIVERIES = "webhook deliveries sent again"
    PUSHES = "calls of push hooks"
    FAILURES = "failed requests"  # without an identity, or with one that does not hold
    STREAMS = "open streams"


class Subject(StrEnum):
    """For whom it is counted. The order is from narrow to wide."""

    ADDRESS = "address"
    KEY = "key"
    USER = "user"
    TENANT = "tenant"


_WIDTH = {subject: place for place, subject in enumerate(Subject)}
Subjects = Mapping[Subject, str]  # who somebody is, as each kind of subject: its id
UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


@dataclass(frozen=True)
class Rule:
    """At most `amount` of something in `seconds` (0: at the same time) for each subject of a kind."""

    resource: Resource
    subject: Subject
    amount: int
    seconds: int = 0

    def key_for(self, identity: str) -> str:
        """The name of its counter, as the library makes it: another amount or time is another counter."""
        item = RateLimitItemPerSecond(self.amount, self.seconds, namespace=self.resource.name.lower())
        return item.key_for(self.subject.value, identity)

    @property
    def words(self) -> str:
        """The rule in words, for the person whom it stops."""
        whose = {Subject.ADDRESS: "from one address", Subject.KEY: "by one key", Subject.USER: "by one user"}
        who = whose.get(self.subject, "by one tenant")
        return f"{self.amount:,} {self.resource} {who}{_span(self.seconds)}"


def _span(seconds: int) -> str:
    if not seconds:
        return " at the same time"
    unit, size = next((name, size) for name, size in reversed(UNITS.items()) if seconds % size == 0)
    return f" each {unit}" if seconds == size else f" in {seconds // size} {unit}s"


def read_rules(resource: Resource, text: str) -> tuple[Rule, ...]:
    """The rules of one resource; none for an empty text. Raises ValueError with a sentence."""
    rules = [_read_rule(resource, word) for word in text.replace(",", " ").split()]
    return tuple(sorted(rules, key=lambda rule: _WIDTH[rule.subject]))


def _read_rule(resource: Resource, word: str) -> Rule:
    kind, _, rate = word.partition(":")
    try:
        subject = Subject(kind)
        if resource is Resource.STREAMS:
            rule = Rule(resource, subject, int(rate))
        else:
            item = parse(rate)
            rule = Rule(resource, subject, item.amount, item.get_expiry())
    except ValueError as error:
        example = "user:100" if resource is Resource.STREAMS else "user:1200/minute"
        raise ValueError(f"The limit of {resource} has {word!r}; write it like {example}.") from error
    if rule.amount < 1:
        raise ValueError(f"The limit of {resource} has {word!r}; nothing would be let through.")
    return rule


def whose(rules: tuple[Rule, ...], subjects: Subjects) -> list[tuple[Rule, str]]:
    """The rules that hold for somebody, each with the id that it counts."""
    return [(rule, subjects[rule.subject]) for rule in rules if rule.subject in subjects]
