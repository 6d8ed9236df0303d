"""Elixir: `mix.exs`, `mix.lock`. Read, never run."""

import re
from collections.abc import Iterator

from processor.manifests.model import Dependency, Format, Manifest, Text, limited
from processor.manifests.tokens import HASH, Token, argument, calls, tokens

_ATOM = re.compile(r":[a-z_]\w{0,100}")
_CONSTRAINT = re.compile(r"\s*(?:~>|[<>=!]{1,2})?\s*\d.{0,200}")
_LOCKED = re.compile(r'\s*"([\w-]{1,100})":\s*\{:(hex|git),\s*(?::\w+|"[^"]{1,300}"),\s*"([^"]{1,100})"')


def parse_mix(text: Text) -> Manifest:
    """`mix.exs`: the tuples `{:name, "~> 1.0", only: :test}`."""
    found = list(tokens(text, HASH))
    app = next((two.value for one, two in zip(found, found[2:], strict=False) if one.value == "app"), "")
    return Manifest(
        "elixir",
        name=app.lstrip(":"),
        description=argument(found, "description"),
        dependencies=limited(_dependencies(found)),
    )


def _dependencies(found: list[Token]) -> Iterator[Dependency]:
    for call in calls(found):
        inside = call.inside
        if call.mark != "{" or len(inside) < 3 or not _ATOM.fullmatch(inside[0].value) or inside[1].value != ",":
            continue
        constraint = inside[2].value if inside[2].kind == "text" and _CONSTRAINT.fullmatch(inside[2].value) else ""
        where = next((said for key in ("git", "github", "path") if (said := argument(inside, key))), "")
        keywords = {one.value for one in inside if one.kind == "word"}
        if constraint or where or keywords & {"in_umbrella", "hex", "only"}:
            yield Dependency(inside[0].value[1:], constraint or where, _scope(inside, keywords), inside[0].line)


def _scope(inside: tuple[Token, ...], keywords: set[str]) -> str:
    if "only" in keywords:
        only = next(at for at, one in enumerate(inside) if one.value == "only")
        named = [one.value for one in inside[only + 1 : only + 10] if one.kind == "word" and one.value.startswith(":")]
        if ":prod" not in named:
            return "test" if named == [":test"] else "dev"
    at = next((at for at, one in enumerate(inside) if one.value == "optional"), None)
    is_optional = at is not None and any(one.value == "true" for one in inside[at + 1 : at + 3])
    return "optional" if is_optional else "runtime"


def parse_lock(text: Text) -> Manifest:
    """`mix.lock`: one dependency a line; it does not say which are asked for directly."""
    found = []
    for number, line in enumerate(text.lines, 1):
        if (match := _LOCKED.match(line[:2_000])) is not None:
            found.append(Dependency(match[1], "", "", number, version=match[3]))
    return Manifest("elixir", dependencies=limited(found))


FORMATS = (Format(r"mix\.exs", parse_mix), Format(r"mix\.lock", parse_lock, is_lock=True))
