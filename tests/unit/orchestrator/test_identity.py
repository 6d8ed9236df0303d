import pytest

from orchestrator.auth.identity import ADMIN, ALL_SCOPES, ASK, EVENTS, READ, WRITE, Role, scopes_for


@pytest.mark.parametrize(
    ("role", "admin", "asked", "allowed"),
    [
        (Role.VIEWER, False, ALL_SCOPES, {READ, EVENTS}),
        (Role.MEMBER, False, ALL_SCOPES, {READ, EVENTS, WRITE, ASK}),
        (Role.OWNER, False, ALL_SCOPES, {READ, EVENTS, WRITE, ASK}),
        (Role.OWNER, True, ALL_SCOPES, ALL_SCOPES),
        (Role.VIEWER, False, {WRITE, READ}, {READ}),
        (Role.MEMBER, True, {ASK}, {ASK}),
        (Role.MEMBER, False, {ADMIN}, set()),
        (Role.MEMBER, False, set(), set()),
    ],
)
def test_nobody_may_do_more_than_role_and_key_both_allow(
    role: Role, admin: bool, asked: set[str], allowed: set[str]
) -> None:
    assert scopes_for(role, admin=admin, asked=asked) == allowed
