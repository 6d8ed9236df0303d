"""Rows of a project's table: what was found, what somebody else finds, and how much of it is the same."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench.facts import definitions, imports
from bench.projects import declared, resolvers, tools
from bench.projects.analysed import Analysed
from bench.projects.person import Person


class Row(NamedTuple):
    """One line of a table. `same` of `beside` are what both say; `differing` are examples, by what differs."""

    what: str
    found: int
    beside: int
    same: int
    by: str
    differing: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether nothing is left to be explained."""
        return self.found == self.beside == self.same


Judge = Callable[[Analysed, Person], Iterator[Row]]


def files(project: Analysed, _: Person) -> Iterator[Row]:
    """The tree, what is no text, and lines, beside git."""
    theirs = tools.git_entries(project.root)
    ours = {file["path"]: file for file in project.files}
    yield _sets("entries of the tree", set(ours), set(theirs), "git ls-tree")
    for kind in ("symlink", "submodule"):
        left_out = {path for path, file in ours.items() if file["skipped"] == kind}
        yield _sets(f"{kind}s", left_out, {path for path, entry in theirs.items() if entry.mode == kind}, "git ls-tree")
    binary = {path for path, file in ours.items() if file["skipped"] in {"binary", "lfs_pointer"}}
    no_text = {path for path, entry in theirs.items() if entry.mode == "file" and entry.lines is None}
    yield _sets("binary files", binary, no_text, "git diff --numstat")
    read = [path for path, file in ours.items() if file["skipped"] is None and theirs[path].lines is not None]
    other = [path for path in read if ours[path]["lines"] != theirs[path].lines]
    lines = [ours[path]["lines"] for path in read], [theirs[path].lines or 0 for path in read]
    same = sum(one for one, path in zip(lines[0], read, strict=True) if path not in set(other))
    yield Row("lines of what was read", sum(lines[0]), sum(lines[1]), same, "git diff --numstat", tuple(other))


def classes(project: Analysed, person: Person) -> Iterator[Row]:
    """Files by class beside the patterns that a person who looked at the tree gives, for files that were read."""
    read = set(project.languages)
    for name, patterns in person.classes.items():
        ours = {file["path"] for file in project.files if file["skipped"] is None and file["file_class"] == name}
        yield _sets(f"class: {name}", ours, tools.listed(project.root, *patterns) & read, "a person's patterns")


def languages(project: Analysed, _: Person) -> Iterator[Row]:
    """Files by language beside cloc, for files of which both name one."""
    theirs = tools.cloc_languages(project.root)
    ours = {path: _plain(language) for path, language in project.languages.items() if path in theirs and language}
    both = {path: (_like(language, theirs[path]), _plain(theirs[path])) for path, language in ours.items()}
    by_language: dict[str, set[str]] = defaultdict(set)
    for path, (_, named) in both.items():
        by_language[named].add(path)
    for name in sorted(by_language, key=lambda one: -len(by_language[one]))[:8]:
        found = {path for path, (our, _) in both.items() if our == name}
        yield _sets(f"language: {name}", found, by_language[name], "cloc", lambda path: f"{path} ({both[path][0]})")
    unnamed = sum(1 for path in theirs if project.languages.get(path, "") is None)
    named = sum(1 for path in theirs if path in project.languages)
    yield Row("files with a language", named - unnamed, named, named - unnamed, "cloc")


def _plain(language: str) -> str:
    return {"tsx": "typescript", "jsx": "javascript", "make": "makefile"}.get(language, language)


def _like(ours: str, theirs: str) -> str:
    """cloc does not tell C's headers from those of C++, nor shells from one another."""
    kin = {"header": {"c", "cpp", "objective-c"}, "bash": {"shell", "sh", "zsh"}, "rst": {"rst", "restructuredtext"}}
    return theirs if ours in kin.get(theirs, ()) else ours


def dependencies(project: Analysed, person: Person) -> Iterator[Row]:
    """What manifests ask for, by scope, beside the ecosystem's own reading of each."""
    asked: dict[tuple[str, str, str], set[tuple[str, str]]] = defaultdict(set)
    read = set[tuple[str, str]]()
    manifests = [path for path in project.metadata["manifests"] if not path.startswith(person.not_judged)]
    for path in manifests:
        name = path.rpartition("/")[2]
        for ending, (ecosystem, tool, reader) in declared.READERS.items():
            is_list = ending == "requirements" and path.endswith(".txt") and "requirements" in path
            if name == ending or (ending.startswith(".") and name.endswith(ending)) or is_list:
                read.add((ecosystem, path))
                for where, wanted, scope in reader(project.root, path):
                    asked[ecosystem, tool, scope].add((where, wanted.lower()))
    ours: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    known = {path: ecosystem for ecosystem, path in read}
    for row in project.dependencies:
        if row["path"] in known and not row["locked"]:
            ours[known[row["path"]], row["scope"]].add((row["path"], row["name"].lower()))
    tools_of = {ecosystem: tool for ecosystem, tool, _ in asked}
    for ecosystem, scope in sorted({*ours, *((one, scope) for one, _, scope in asked)}):
        theirs = set[tuple[str, str]]().union(
            *(names for key, names in asked.items() if key[::2] == (ecosystem, scope))
        )
        title = f"dependencies: {ecosystem}, {scope or 'no scope'}"
        yield _sets(title, ours[ecosystem, scope], theirs, tools_of.get(ecosystem, ""), " ".join)


def defined(project: Analysed, _: Person) -> Iterator[Row]:
    """Definitions that universal-ctags tags, and those of them that are among the symbols."""
    tags, found, missed = definitions.compared(project)
    number = Counter(symbol["path"] for symbol in project.lists["symbols"])
    for language, there in sorted(tags.items(), key=lambda item: -item[1]):
        ours = sum(count for path, count in number.items() if project.languages.get(path) == language)
        other = tuple(f"{tag[0]}:{tag[2]} {tag[1]}" for of, tag in missed if of == language)
        yield Row(f"definitions: {language}", ours, there, found[language], "universal-ctags", other)


def imported(project: Analysed, person: Person, compiler: Path | None) -> Iterator[Row]:
    """Imports beside each language's resolver, compiler or rule."""
    present = set(project.languages.values())
    if "python" in present:
        yield from _agreement("python", imports.python_imports(project), "importlib")
    if "go" in present:
        yield from _agreement("go", resolvers.go(project), "go list")
    if "java" in present:
        yield from _agreement("java", resolvers.java(project), "packages and file names, read")
    if present & {"typescript", "tsx", "javascript"} and compiler is not None:
        yield from _agreement("typescript and javascript", resolvers.typescript(project, compiler), "TypeScript")
    if "rust" in present:
        asked, same, missed = resolvers.rust(project)
        yield Row("files that make up crates", same, asked, same, "rustc --emit=dep-info", tuple(missed))
    if person.include_folders:
        asked, same, missed = resolvers.includes(project, *person.include_folders)
        yield Row("inclusions", same, asked, same, "g++ -H", tuple(missed))


def _agreement(language: str, found: imports.Agreement, by: str) -> Iterator[Row]:
    if found.asked:
        other = tuple(
            f"{row['path']}:{row['line']} {row['module']} {row['name']} → {row['target']} | {answer}"
            for row, answer in found.other
        )
        yield Row(f"imports: {language}", found.asked, found.asked, found.same, by, other)


def entry_points(project: Analysed, person: Person) -> Iterator[Row]:
    """Commands and scripts that manifests name, beside those that a person reads (cargo tells its own)."""
    ours = {f"{point['path']} {point['name']}" for point in project.metadata["entry_points"]}
    theirs = set(person.entry_points)
    for path in project.metadata["manifests"]:
        if path.endswith("Cargo.toml"):
            theirs |= {f"{path} {name}" for name in declared.crate_binaries(project.root, path)}
        if path.endswith("package.json"):
            theirs |= {f"{path} {name}" for name in declared.package_scripts(project.root, path)}
    left_out = project.metadata.get("left_out", {}).get("entry_points", 0)
    row = _sets("entry points", ours, theirs, "manifests, read by cargo, npm, a person")
    yield row._replace(found=row.found + left_out)


def licence(project: Analysed, person: Person) -> Iterator[Row]:
    """Licences of the files at the top, by SPDX identifier, beside licensecheck."""
    said = project.metadata["licence"]
    paths = list(said.get("files", []))
    ours = {one["spdx"] for one in said.get("texts", [])} or {said.get("spdx", "none")}
    theirs = set(tools.licences(project.root, paths))
    yield _sets(f"licence: {said.get('expression') or said.get('spdx')}", ours, theirs, "licensecheck")
    del person


def _sets(
    what: str,
    ours: set[str] | set[tuple[str, str]],
    theirs: set[str] | set[tuple[str, str]],
    by: str,
    said: Callable[..., str] = str,
) -> Row:
    more = tuple(f"+ {said(one)}" for one in sorted(ours - theirs))  # type: ignore[operator]  # both of one kind
    less = tuple(f"- {said(one)}" for one in sorted(theirs - ours))  # type: ignore[operator]  # both of one kind
    return Row(what, len(ours), len(theirs), len(ours & theirs), by, more + less)  # type: ignore[operator]


def judged(project: Analysed, person: Person, compiler: Path | None) -> Iterable[Row]:
    """All rows of a project."""
    for judge in (files, languages, classes, dependencies, defined):
        yield from judge(project, person)
    yield from imported(project, person, compiler)
    yield from entry_points(project, person)
    yield from licence(project, person)
