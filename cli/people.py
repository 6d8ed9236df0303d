"""`repostream people`: who has an account, and who of them is let in. It takes an administrator's credential."""

from rich.text import Text

from cli.api import connect
from cli.exits import OK, USAGE, leave
from cli.moments import minute
from cli.paging import all_of
from cli.plain import visible
from cli.screen import Screen
from cli.sure import require_yes
from runtime.client import Client
from runtime.client.shapes import PersonView

_PAGE = 500


def run_list(search: str, *, suspended: bool, as_json: bool) -> int:
    """Print people; returns the exit code. Raises ApiError."""
    found = _people(connect(), search, suspended=suspended)
    for person in found:
        if as_json:
            print(person.model_dump_json())
        else:
            _print(person)
    return OK


def run_suspend(who: str, *, yes: bool) -> int:
    """Let somebody in no more; returns the exit code. Raises ApiError."""
    api = connect()
    person = _find(api, who)
    require_yes(f"Suspend {visible(person.login)}? Sessions, keys and open streams of theirs end at once.", yes=yes)
    _print(api.people_suspend(person.user_id))
    return OK


def run_restore(who: str) -> int:
    """Let somebody in again; returns the exit code. Raises ApiError."""
    api = connect()
    _print(api.people_restore(_find(api, who).user_id))
    return OK


def _people(api: Client, search: str, *, suspended: bool = False) -> list[PersonView]:
    return list(
        all_of(lambda cursor: api.people_people(search=search, suspended=suspended, cursor=cursor, limit=_PAGE))
    )


def _find(api: Client, who: str) -> PersonView:
    """The one person with this id, `provider:id` or login. Leaves with a sentence where there is none, or more."""
    people = _people(api, "")
    exact = [each for each in people if who in {each.user_id, f"{each.provider}:{each.subject}", each.login}]
    exact = exact or [each for each in people if each.login.lower() == who.lower()]
    if len(exact) != 1:
        several = f"Several people are called “{who}”: name one by id, as `repostream people list` shows it."
        leave(USAGE, several if exact else f"Nobody here is called “{who}”: see `repostream people list`.")
    return exact[0]


def _print(person: PersonView) -> None:
    seen = f"  last here {minute(person.seen_at)}" if person.seen_at is not None else ""
    at = f" at {person.issuer}" if person.issuer else ""
    marks = "".join(
        f"  {word}" for word, holds in (("administrator", person.admin), ("suspended", _is_out(person))) if holds
    )
    line = Text.assemble(
        (person.login, "bold"), f"  {person.provider}:{person.subject}{at}  {person.user_id}{seen}", (marks, "bold")
    )
    Screen().say(line)


def _is_out(person: PersonView) -> bool:
    return person.suspended_at is not None
