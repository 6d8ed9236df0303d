"""First questions about a repository, each about something that its facts name."""

from collections.abc import Iterator, Sequence

from orchestrator.overview.commands import TEST, Command
from orchestrator.overview.entries import Entry
from orchestrator.overview.facts import Facts
from orchestrator.overview.modules import Modules
from orchestrator.overview.wording import flat

_MOST = 6
_LONGEST = 160  # characters of a name in a question


def questions_of(
    facts: Facts, modules: Modules, entries: Sequence[Entry], commands: Sequence[Command]
) -> tuple[str, ...]:
    """At most six, the broadest first. Pure."""
    found = dict.fromkeys(_questions(facts, modules, entries, commands))
    return tuple(found)[:_MOST]


def _questions(facts: Facts, modules: Modules, entries: Sequence[Entry], commands: Sequence[Command]) -> Iterator[str]:
    yield "What does this project do?"
    used = [one for module in modules.modules for one in module.definitions]
    types = [one for one in used if one.kind in {"class", "struct", "interface", "trait", "type"}] or used
    if types:
        most = max(types, key=lambda one: one.used)
        yield f"How does {_name(most.name.rpartition('.')[2])} work, and who uses it?"
    if entries:
        yield f"What happens when {_name(entries[0].name)} is started?"
    if modules.edges and not modules.modules[0].is_file:
        edge = modules.edges[0]
        ends = [_name(end) or "the top folder" for end in (edge.source, edge.target)]
        yield f"How do {ends[0]} and {ends[1]} work together?"
    if facts.needs:
        yield f"What is {_name(facts.needs[0].name)} used for?"
    if any(one.purpose == TEST for one in commands):
        yield "How is it tested?"


def _name(text: str) -> str:
    return flat(text)[:_LONGEST]
