"""Elixir: `mix.exs`, `mix.lock`. Read, never run."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.tokens import HASH, Token, argument, calls, tokens

_ATOM = re.compile(r":[a-z_]\w{0,100}")
_CONSTRAINT = re.compile(r"\s*(?:~>|[<>=!]{1,2})?\s*\d.{0,200}")
_STARTED = {"mod": "application", "main_module": "command"}
_LOCKED = re.compile(r'\s*"([\w-]{1,100})":\s*\{:(hex|git),\s*(?::\w+|"[^"]{1,300}"),\s*"([^"]{1,100})"')


def parse_mix(text: Text) -> Manifest:
    """`mix.exs`: the tuples `{:name, "~> 1.0", only: :test}`."""
    found = list(tokens(text, HASH))
    app = next((two.value for one, two in zip(found, found[2:], strict=False) if one.value == "app"), "")
    return Manifest(
        "elixir",
        name=app.lstrip(":"),
        description=argument(found, "description"),
        licence=" OR ".join(_listed(found, "licenses")),
        dependencies=limited(_dependencies(found)),
        entry_points=tuple(_entry_points(found)),
    )


def _listed(found: Sequence[Token], name: str) -> list[str]:
    """The texts of `name: ["…", "…"]`."""
    at = next((at for at, one in enumerate(found[:-2]) if one.value == name and found[at + 2].value == "["), None)
    inside = takewhile(lambda one: one.value != "]", found[at + 3 : at + 23]) if at is not None else ()
    return [one.value for one in inside if one.kind == "text"]


def _entry_points(found: Sequence[Token]) -> Iterator[EntryPoint]:
    """`mod: {Application, []}`, and `main_module: Module` of an executable script."""
    for at, one in enumerate(found[:-3]):
        target = found[at + 3 if one.value == "mod" else at + 2].value
        if one.kind == "word" and one.value in _STARTED and found[at + 1].value == ":" and target[:1].isupper():
            yield EntryPoint(target, target, _STARTED[one.value])


def _dependencies(found: list[Token]) -> Iterator[Dependency]:
    attributes = {
        one.value: two.value for one, two in pairwise(found) if one.value.startswith("@") and two.kind == "text"
    }
    for call in calls(found):
        inside = call.inside
        if call.mark != "{" or len(inside) < 3 or not _ATOM.fullmatch(inside[0].value) or inside[1].value != ",":
            continue
        said = inside[2].value if inside[2].kind == "text" else attributes.get(inside[2].value, "")
        constraint = said if _CONSTRAINT.fullmatch(said) else ""
        where = next((said for key in ("git", "github", "path") if (said := argument(inside, key))), "")
        keywords = {one.value for one in inside if one.kind == "word"}
        if constraint or where or keywords & {"in_umbrella", "hex", "only"}:
            only = _only(inside)
            scope = _scope(inside, only)
            yield Dependency(inside[0].value[1:], constraint or where, scope, inside[0].line, group="+".join(only))


def _only(inside: tuple[Token, ...]) -> list[str]:
    """The environments after `only:`."""
    at = next((at for at, one in enumerate(inside) if one.kind == "word" and one.value == "only"), len(inside))
    said = takewhile(lambda one: one.kind == "mark" or one.value.startswith(":"), inside[at + 1 : at + 20])
    return [one.value[1:] for one in said if one.kind == "word"]


def _scope(inside: tuple[Token, ...], only: list[str]) -> str:
    if only and "prod" not in only:
        return "test" if only == ["test"] else "dev"
    if _says(inside, "optional", "true"):
        return "optional"
    return "build" if _says(inside, "runtime", "false") else "runtime"  # compiled with, and not started


def _says(inside: tuple[Token, ...], key: str, value: str) -> bool:
    at = next((at for at, one in enumerate(inside) if one.kind == "word" and one.value == key), None)
    return at is not None and any(one.value == value for one in inside[at + 1 : at + 3])


def parse_lock(text: Text) -> Manifest:
    """`mix.lock`: one dependency a line; it does not say which are asked for directly."""
    found = []
    for number, line in enumerate(text.lines, 1):
        if (match := _LOCKED.match(line[:2_000])) is not None:
            found.append(Dependency(match[1], "", "", number, version=match[3]))
    return Manifest("elixir", dependencies=limited(found))


FORMATS = (Format(r"mix\.exs", parse_mix), Format(r"mix\.lock", parse_lock, is_lock=True))
