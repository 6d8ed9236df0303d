"""Tell what a repository is from its facts: sections of Markdown with citations, and first questions to ask.

In:  `Facts`.
Out: what it is, how it is built, its main modules and how they talk, entry points, how to run and test it. A section
     that no fact supports is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.overview.commands import BUILD, CHECK, RUN, TEST, Command, commands_of
from orchestrator.overview.diagram import TOP, mermaid
from orchestrator.overview.entries import Entry, entries_of
from orchestrator.overview.facts import Definition, Facts
from orchestrator.overview.modules import Module, ModuleEdge, Modules, folder_of, modules_of
from orchestrator.overview.questions import questions_of
from orchestrator.overview.readme import paragraph_at, sections_at
from orchestrator.overview.wording import amount, cite, code, line_of, listed, told
from runtime.folders import is_aside
from runtime.language_names import language

_NEEDS = 10
_NAMES = 8
_EDGES = 8
_LANGUAGES = 5
_SAID = 160  # characters of a docstring's first line
_OF = {"config": "configuration", "docs": "documentation", "test": "tests"}
_ADJECTIVES = frozenset({"generated", "other", "vendored"})
_PURPOSE = {BUILD: "To build or install it", RUN: "To run it", TEST: "To test it", CHECK: "To check it"}


@dataclass(frozen=True)
class Section:
    """One section as Markdown. `key` is what, built, modules, entries or commands."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Overview:
    """The sections, the modules they speak of, the map of these as Mermaid text, and first questions."""

    sections: tuple[Section, ...]
    modules: Modules
    diagram: str
    questions: tuple[str, ...]


def compose(facts: Facts) -> Overview:
    """Pure: the same facts, the same words."""
    facts = replace(facts, needs=tuple(one for one in facts.needs if not is_aside(folder_of(one.path))) or facts.needs)
    modules = modules_of(facts.folders, facts.edges, facts.definitions)
    entries = entries_of(facts)
    scripts = [(str(one.get("path", "")), str(one.get("name", ""))) for one in records(facts.metadata, "entry_points")]
    commands = commands_of(facts.texts, scripts)
    sections = (
        Section("what", "What it is", "\n\n".join(_what(facts))),
        Section("built", "How it is built", "\n".join(f"- {line}" for line in _built(facts))),
        Section("modules", "Main modules and how they talk", "\n".join(_modules(modules))),
        Section("entries", "Entry points", "\n".join(_entry(one) for one in entries)),
        Section("commands", "How to run and test it", "\n".join(_commands(commands, facts))),
    )
    return Overview(
        tuple(section for section in sections if section.text),
        modules,
        mermaid(modules),
        questions_of(facts, modules, entries, commands),
    )


def records(said: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """A list of mappings out of what a stage said; empty where it is none."""
    found = said.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def words(said: Mapping[str, object], name: str) -> str:
    """A text out of what a stage said; empty where it is none."""
    found = said.get(name)
    return found.strip() if isinstance(found, str) else ""


def _what(facts: Facts) -> Iterator[str]:
    said = facts.metadata
    name, description = words(said, "name") or facts.name, words(said, "description")
    if description:
        place = next(((path, n) for path, text in facts.texts.items() if (n := line_of(text, description))), None)
        yield f"**{told(name)}** describes itself as: {told(description)}{cite(*place, place[1]) if place else ''}"
    summary, readme = words(said, "readme_summary"), words(said, "readme_path")
    if summary:
        paragraphs = [part for part in summary.split("\n\n") if part.strip()]
        found = (paragraph_at(facts.texts.get(readme, ""), part) for part in paragraphs)
        cited = "".join(dict.fromkeys(cite(readme, *place) for place in found if place))
        yield f"Its README says{cited}:\n\n" + "\n>\n".join(f"> {told(part)}" for part in paragraphs)
    licence = said.get("licence")
    if isinstance(licence, Mapping):
        named, path = words(licence, "spdx") or words(licence, "name"), words(licence, "path")
        place_of = cite(path, 1, 1) if path and words(licence, "spdx") else ""
        if named:
            yield f"Licence: {told(named)}{place_of}."


def _files_of(kind: str, number: int) -> str:
    """`3 files of code`, `1 generated file`."""
    if kind in _ADJECTIVES:
        return amount(number, f"{kind} file")
    return f"{amount(number, 'file')} of {_OF.get(kind) or told(kind)}"


def _built(facts: Facts) -> Iterator[str]:
    sizes = [one for one in records(facts.structure, "language_sizes") if isinstance(one.get("files"), int)]
    if sizes:
        shown = [
            f"{told(language(words(one, 'name')))} ({amount(_number(one, 'files'), 'file')})"
            for one in sizes[:_LANGUAGES]
        ]
        rest = f" and {len(sizes) - _LANGUAGES} more" if len(sizes) > _LANGUAGES else ""
        yield f"Languages, by size: {', '.join(shown)}{rest}."
    classes = facts.structure.get("classes")
    if isinstance(classes, Mapping) and classes:
        kinds = [
            _files_of(str(kind), _number(size, "files")) for kind, size in classes.items() if isinstance(size, Mapping)
        ]
        yield f"Read: {listed(kinds)}; {_number(facts.structure, 'lines'):,} lines."
    if facts.needs:
        shown = [f"{code(one.name)}{cite(one.path, one.line, one.line)}" for one in facts.needs[:_NEEDS]]
        rest = f", and {len(facts.needs) - _NEEDS} more" if len(facts.needs) > _NEEDS else ""
        yield f"Needs at run time: {', '.join(shown)}{rest}."
    for key, title in (("manifests", "Manifests"), ("containers", "Containers")):
        paths = facts.metadata.get(key)
        names = [code(path) for path in paths if isinstance(path, str)] if isinstance(paths, list | tuple) else []
        if names:
            yield f"{title}: {_some(names)}."
    ci = dict[str, list[str]]()
    for one in records(facts.metadata, "ci"):
        ci.setdefault(told(words(one, "name")), []).append(code(words(one, "path")))
    if ci:
        yield f"Continuous integration: {'; '.join(f'{name} ({_some(paths)})' for name, paths in ci.items())}."


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")


def _modules(found: Modules) -> Iterator[str]:
    for module in found.modules:
        yield _module(module)
    if found.smaller:
        yield f"- and {amount(found.smaller, 'smaller one')}."
    if found.edges:
        yield ""
        yield "How they talk, most first:"
        yield ""
    for edge in found.edges[:_EDGES]:
        yield _edge(edge)


def _module(module: Module) -> str:
    size = "" if module.is_file else f": {amount(module.files, 'file')} of code, {amount(module.lines, 'line')}"
    spoken = f" of {listed(told(language(name)) for name in module.languages)}" if module.languages else ""
    defined = "; ".join(_definition(one) for one in module.definitions)
    used = f". Most used of it: {defined}" if defined else ""
    return f"- **{code(module.path or TOP)}**{size}{spoken}{used}"


def _definition(one: Definition) -> str:
    first = one.docstring.strip().split("\n", 1)[0].strip()[:_SAID]
    said = f" “{told(first)}”" if first else ""
    return f"{one.kind} {code(one.name)}{said}{cite(one.path, one.first_line, one.last_line)}"


def _edge(edge: ModuleEdge) -> str:
    counts = [amount(n, noun) for n, noun in ((edge.imports, "import"), (edge.calls, "call")) if n]
    ends = f"{code(edge.source or TOP)} → {code(edge.target or TOP)}"
    return f"- {ends}: {listed(counts)}, for example{cite(edge.path, edge.line, edge.line) or ' ' + code(edge.path)}"


def _entry(one: Entry) -> str:
    target = f" → {code(one.target)}" if one.target else ""
    return f"- {told(one.kind)} {code(one.name)}{target}{cite(*one.said) if one.said else ''}" + (
        f", defined at{cite(*one.defined)}" if one.defined else ""
    )


def _commands(commands: Sequence[Command], facts: Facts) -> Iterator[str]:
    for purpose, title in _PURPOSE.items():
        shown = [
            f"{code(one.command)}{cite(one.path, one.line, one.line)}" for one in commands if one.purpose == purpose
        ]
        if shown:
            yield f"- {title}: {', '.join(shown)}."
    readme = words(facts.metadata, "readme_path")
    told_there = [
        f"“{told(name)}”{cite(readme, line, line)}" for name, line in sections_at(facts.texts.get(readme, ""))
    ]
    if told_there:
        yield f"- The README tells more under {listed(told_there)}."


def _number(said: Mapping[str, object], name: str) -> int:
    found = said.get(name)
    return found if isinstance(found, int) else 0
