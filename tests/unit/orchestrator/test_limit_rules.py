"""What the settings of limits mean, and what a window of counts leaves."""

import pytest

from orchestrator.limits.rules import Resource, Rule, Subject, read_rules, whose
from orchestrator.limits.windows import Standing, Window, headers_of, refusal, standing_of, tightest
from orchestrator.settings import LimitSettings

PER_MINUTE = Rule(Resource.REQUESTS, Subject.USER, 10, 60)


def test_rules_are_read_narrowest_subject_first() -> None:
    rules = read_rules(Resource.REQUESTS, "tenant:6000/minute, user:20/second user:1200/minute key:5/2hour")

    assert [(rule.subject.value, rule.amount, rule.seconds) for rule in rules] == [
        ("key", 5, 7_200),
        ("user", 20, 1),
        ("user", 1_200, 60),
        ("tenant", 6_000, 60),
    ]


def test_streams_have_no_period_and_nothing_is_a_limit_of_nothing() -> None:
    assert read_rules(Resource.STREAMS, "user:100") == (Rule(Resource.STREAMS, Subject.USER, 100),)
    assert read_rules(Resource.BYTES, "  ") == ()


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (Resource.REQUESTS, "user"),
        (Resource.REQUESTS, "everybody:10/minute"),
        (Resource.REQUESTS, "user:10"),
        (Resource.REQUESTS, "user:10/fortnight"),
        (Resource.REQUESTS, "user:0/minute"),
        (Resource.REQUESTS, "user:-5/minute"),
        (Resource.STREAMS, "user:10/minute"),
        (Resource.STREAMS, "user:0"),
        (Resource.STREAMS, "user:"),
    ],
)
def test_a_limit_that_cannot_be_read_is_named(resource: Resource, text: str) -> None:
    with pytest.raises(ValueError, match=f"The limit of {resource} has '{text}'"):
        read_rules(resource, text)


def test_the_defaults_can_be_read() -> None:
    rules = LimitSettings().rules

    assert set(rules) == set(Resource)
    assert all(rules.values())


def test_a_rule_holds_for_those_subjects_that_somebody_is() -> None:
    rules = read_rules(Resource.REQUESTS, "key:1/minute user:2/minute")

    assert [(rule.amount, one) for rule, one in whose(rules, {Subject.USER: "u", Subject.TENANT: "t"})] == [(2, "u")]


def test_another_amount_period_subject_or_resource_is_another_counter() -> None:
    rules = [
        PER_MINUTE,
        Rule(Resource.REQUESTS, Subject.USER, 11, 60),
        Rule(Resource.REQUESTS, Subject.USER, 10, 61),
        Rule(Resource.REQUESTS, Subject.TENANT, 10, 60),
        Rule(Resource.ANALYSES, Subject.USER, 10, 60),
    ]

    assert len({rule.key_for("x") for rule in rules} | {PER_MINUTE.key_for("y")}) == 6


@pytest.mark.parametrize(
    ("window", "cost"),
    [
        (Window(0, 0, 10, 119.5), 1),
        (Window(0, 0, 10, 60.5), 5),
        (Window(0, 0, 10, 100), 10),
        (Window(10, 59, 1, 119), 1),
        (Window(10, 30, 6, 90), 2),
        (Window(8, 30, 9, 90), 4),
        (Window(20, 60, 3, 120), 3),
    ],
)
def test_after_the_time_that_is_told_it_would_be_let_through_and_not_much_before(window: Window, cost: int) -> None:
    def fits_after(seconds: float) -> bool:
        turn = window.current_ttl - 60
        if seconds < turn:
            later = Window(
                window.previous, max(0.0, window.previous_ttl - seconds), window.current, window.current_ttl - seconds
            )
        else:
            later = Window(window.current, max(0.0, window.current_ttl - seconds), 0, 0)
        return later.weighted(60) + cost <= 10

    wait = window.room_in(60, 10, cost)

    assert not fits_after(0)
    assert fits_after(wait)
    assert not fits_after(wait - 0.05)


def test_nothing_is_waited_for_where_it_fits_and_the_whole_period_where_it_never_will() -> None:
    assert Window(0, 0, 9, 100).room_in(60, 10, 1) == 0
    assert Window().room_in(60, 10, 11) == 60


def test_headers_say_what_is_left_and_a_refusal_says_when_to_come_back() -> None:
    left = standing_of(PER_MINUTE, Window(0, 0, 3, 100.2), cost=1, refused=False)
    refused = standing_of(PER_MINUTE, Window(0, 0, 10, 110), cost=1, refused=True)

    assert headers_of(left) == {"RateLimit-Limit": "10", "RateLimit-Remaining": "6", "RateLimit-Reset": "41"}
    assert headers_of(refused) == {
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "51",
        "Retry-After": "51",
    }
    assert refusal(refused) == "The limit is 10 requests by one user each minute. Try again in 51 s."


def test_of_several_the_one_is_told_that_stops_first() -> None:
    wide = Standing(Rule(Resource.REQUESTS, Subject.TENANT, 1_000, 60), 90, 5)
    narrow = Standing(PER_MINUTE, 5, 9)
    stopped = Standing(PER_MINUTE, 9, 9, wait=9)

    assert tightest([narrow, wide]) is wide
    assert tightest([wide, stopped, narrow]) is stopped
    assert tightest([]) is None
