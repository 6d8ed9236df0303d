"""Ruby: `Gemfile`, gem specifications, `Gemfile.lock`. Read, never run."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile, islice, takewhile
from typing import NamedTuple

from processor.manifests.model import Dependency, Format, Manifest, Text, limited, scope_of_group
from processor.manifests.tokens import RUBY, Statement, Token, argument, statements, tokens

_ADDED = re.compile(r"\w+\.add_(?:(runtime|development)_)?dependency")
_FIELD = re.compile(r"\w+\.(name|summary|license|description)")
_VERSION = re.compile(r"\s*(?:[~<>=!]{1,2}\s*)?\d[\w.-]*\s*")
_OPENS = frozenset(("if", "unless", "case", "def", "class", "module", "begin", "while", "until"))
_PLACES = ("git", "github", "gitlab", "bitbucket", "gist", "path")
_MOST_PLACES = 20  # that a Gemfile names itself
_CONDITIONS = frozenset(("if", "unless"))
_LOCKED = re.compile(r"    ([\w.-]{1,150}) \(([^)-]{1,100})(?:-[^)]{1,100})?\)")  # `1.15-x86_64-linux`: of a platform
_ASKED = re.compile(r"  ([\w.-]{1,150})!?(?: \(([^)]{1,200})\))?!?")


class _Block(NamedTuple):
    """What a block of a Gemfile says of the gems in it: their groups, and where they come from."""

    groups: tuple[str, ...] = ()
    where: str = ""


def parse_gemfile(text: Text) -> Manifest:
    """`Gemfile`; gems in a `group` block, or with `group:`, are of that group.

    What a gem needs when it runs is in its specification: where a Gemfile says `gemspec`, all else is for development.
    """
    found: list[Dependency] = []
    blocks: list[_Block] = []
    written = list(statements(tokens(text, RUBY)))
    usual = "dev" if any(one.head == "gemspec" for one in written) else "runtime"
    own = (one for each in written if each.head == "git_source" for one in _symbols(_words(each)))
    places = (*_PLACES, *islice(dict.fromkeys(own), _MOST_PLACES))
    for statement in written:
        words = _words(statement)
        if statement.head == "gem" and statement.texts:
            around = [*blocks, *(_Block(_symbols(block)) for block in statement.blocks if block[:1] == ("group",))]
            groups = _groups(statement.tokens) or next((one.groups for one in reversed(around) if one.groups), ())
            where = (argument(statement.tokens, place) for place in places)
            said = next(filter(None, where), "") or next((one.where for one in reversed(around) if one.where), "")
            scope = _scope(groups) if groups else usual
            constraint = _constraint(statement) or said
            found.append(Dependency(statement.texts[0], constraint, scope, statement.line, group="+".join(groups)))
        if statement.head == "end" and blocks:
            blocks.pop()
        elif "do" in words or statement.head in _OPENS:
            blocks.append(_block(statement, words))
    return Manifest("ruby", dependencies=limited(found))


def _block(statement: Statement, words: Iterable[str]) -> _Block:
    if statement.head == "group":
        return _Block(_symbols(words))
    return _Block(where=statement.texts[0]) if statement.head in _PLACES and statement.texts else _Block()


def _words(statement: Statement) -> list[str]:
    return [token.value for token in statement.tokens if token.kind == "word"]


def _symbols(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word[1:] for word in words if word.startswith(":"))


def _constraint(statement: Statement) -> str:
    """The versions before a condition."""
    said = takewhile(lambda one: one.kind != "word" or one.value not in _CONDITIONS, statement.tokens)
    written = [one.value.strip() for one in said if one.kind == "text"][1:]
    return ", ".join(one for one in written if _VERSION.fullmatch(one))


def _groups(said: Sequence[Token]) -> tuple[str, ...]:
    """The symbol, or the list of them, after `group:` or `:group =>`."""
    at = next((at for at, one in enumerate(said) if one.value.strip(":") in {"group", "groups"}), None)
    after = list(dropwhile(lambda one: one.value in {":", "=>"}, said[at + 1 :])) if at is not None else []
    if after and after[0].value == "[":
        return _symbols(one.value for one in takewhile(lambda one: one.value != "]", after))
    return _symbols(one.value for one in after[:1] if one.kind == "word")


def _scope(groups: Iterable[str]) -> str:
    scopes = {scope_of_group("dev" if name == "development" else name) for name in groups}
    return next((scope for scope in ("runtime", "dev", "test") if scope in scopes), "runtime")


def parse_gemspec(text: Text) -> Manifest:
    """A gem's specification."""
    found: list[Dependency] = []
    fields: dict[str, str] = {}
    for statement in statements(tokens(text, RUBY)):
        if (added := _ADDED.fullmatch(statement.head)) is not None and statement.texts:
            scope = "dev" if added[1] == "development" else "runtime"
            found.append(Dependency(statement.texts[0], _constraint(statement), scope, statement.line))
        elif statement.texts and any(token.value == ":Specification.new" for token in statement.tokens):
            fields.setdefault("name", _plain(statement.texts[0]))
        elif (said := _FIELD.fullmatch(statement.head)) is not None and statement.texts:
            fields.setdefault(said[1], _plain(statement.texts[0]))
    return Manifest(
        "ruby",
        name=fields.get("name", ""),
        description=fields.get("summary", "") or fields.get("description", ""),
        licence=fields.get("license", ""),
        dependencies=limited(found),
    )


def _plain(written: str) -> str:
    """A text as it is written; nothing of one that is put together when it runs."""
    return "" if "#{" in written else written


def parse_lock(text: Text) -> Manifest:
    """`Gemfile.lock`. Its `DEPENDENCIES` are the direct ones."""
    asked = {match[1]: match[2] or "" for _, match in _section(text, "DEPENDENCIES", _ASKED)}
    found = [
        Dependency(
            match[1], asked.get(match[1], ""), "" if match[1] in asked else "transitive", number, version=match[2]
        )
        for heading in ("GEM", "GIT")
        for number, match in _section(text, heading, _LOCKED)
    ]
    return Manifest("ruby", dependencies=limited(found))


def _section(text: Text, heading: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    is_in = False
    for number, line in enumerate(text.lines, 1):
        if line[:1].strip():
            is_in = line.strip() == heading
        elif is_in and (match := pattern.fullmatch(line[:500].rstrip())) is not None:
            yield number, match


FORMATS = (
    Format(r"gemfile|gems\.rb", parse_gemfile),
    Format(r"[\w.-]+\.gemspec", parse_gemspec),
    Format(r"gemfile\.lock", parse_lock, is_lock=True),
)
