# ruff: noqa: E501  # manifests are quoted as they are written
"""Whatever is in a manifest, it is read or refused with a reason, in bounded time and memory. Nothing is executed."""

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events.artifacts import SourceRow, TreeRow
from processor.manifests.model import MAX_DEPENDENCIES, SCOPES, Manifest, Text
from processor.manifests.nodes import Node, read_json, read_yaml
from processor.manifests.registry import NotRead, format_of, formats, read_manifest
from processor.stages.choose_files import choose_files
from processor.stages.classify import read_text
from processor.stages.gather_metadata import gather_metadata
from tests.support.manifests import read

PATHS = [
    "pyproject.toml", "requirements.txt", "setup.cfg", "setup.py", "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock",
    "pylock.toml", "package.json", "pnpm-workspace.yaml", "deno.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml",
    "bun.lock", "go.mod", "go.work", "Cargo.toml", "Cargo.lock", "pom.xml", "build.gradle", "libs.versions.toml",
    "gradle.lockfile", "a.csproj", "Directory.Build.props", "packages.config", "packages.lock.json",
    "dotnet-tools.json", "Gemfile", "a.gemspec",
    "Gemfile.lock", "composer.json", "composer.lock", "mix.exs", "mix.lock", "Package.swift", "Package.resolved",
    "pubspec.yaml", "pubspec.lock", "CMakeLists.txt", "cmake/x.cmake", "conanfile.txt", "conanfile.py", "conan.lock",
    "vcpkg.json", "meson.build", "subprojects/x.wrap", "Dockerfile", "compose.yaml", ".github/workflows/ci.yml",
    "action.yml", "Chart.yaml", "charts/x/requirements.yaml", "Chart.lock", "main.tf", ".terraform.lock.hcl",
    "requirements/x.in", "gradle.properties",
]  # fmt: skip
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
)
MERGES = "a: &a {x: 1}\n" + "".join(f"b{n}: &b{n} {{<<: [*a, *a], y{n}: 1}}\n" for n in range(2_000))
HOSTILE = [
    "", "\ufeff{}", "[]", "null", "1", '"x"', "{", "[" * 1_000, '{"a":' * 1_000, "a = " + "[" * 1_000, "x" * 50_000,
    '{"dependencies": [1, null]}', '{"dependencies": {"a": {"b": 1}}, "bin": 3, "license": [], "scripts": "x"}',
    '[project]\ndependencies = "x"\nscripts = 1\n[tool.poetry]\ndependencies = []\n', "[dependencies]\n[dependencies]\n",
    "<a>" * 500, "gem '" + "(" * 5_000, "find_package(" * 500, "implementation(" * 500, "\u202e\ufffd\n" * 100,
    "dependencies {" * 500, "/*" * 15_000, '"' * 15_000, '"\\' * 15_000, '"""' * 5_000, "#[[" * 10_000,
    "do\n" * 5_000, "- " * 1_500, "? " * 5_000, "a: &a [*a]", "&a a: *a", "<<: *x", "{<<: {<<: 1}}", BOMB, MERGES,
    "FROM " + "a" * 5_000, "FROM $" + "{A:-" * 2_500, "RUN a \\\n" * 5_000, "!!python/object/apply:os.abort []",
    "{{{{" * 2_500 + "}}}}" * 2_500, "[[package]]\n" * 2_500, "((" * 5_000 + "))" * 5_000, "a=" * 15_000,
    "-r " + "../" * 1_000 + "etc/passwd", "${a}" * 5_000, "\x1b\x00\x7f", "a b " * 10_000, "a,b;c:" * 5_000,
]  # fmt: skip


def test_every_format_is_among_those_that_are_tried() -> None:
    tried = {id(format_of(path)) for path in PATHS}

    assert {id(one) for _, _, one in formats()} == tried


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.timeout(60)
def test_hostile_texts_are_read_or_refused_and_quickly(path: str) -> None:
    for text in HOSTILE:
        for content in (text, f"name: x\ndependencies:\n  {text[:1_000]}", f"dependencies {{\n{text[:1_000]}"):
            manifest = tried(path, content)
            assert manifest is None or is_sane(manifest)


@pytest.mark.parametrize("piece", ["{", "[[a]]\n", '"\\', "a b ", "<a>", "a:\n "])
@pytest.mark.parametrize("path", ["package.json", "compose.yaml", "Cargo.toml", "pom.xml", "build.gradle", "go.mod"])
@pytest.mark.timeout(30)
def test_a_mebibyte_of_one_thing_ends(path: str, piece: str) -> None:
    """A file of this size is the largest that is read: one reader of each kind."""
    manifest = tried(path, piece * (1_048_576 // len(piece)))

    assert manifest is None or is_sane(manifest)


def tried(path: str, content: str) -> Manifest | None:
    try:
        return read_manifest(path, content)
    except NotRead as reason:
        said = str(reason)
    assert 0 < len(said) <= 200
    return None


def is_sane(manifest: Manifest) -> bool:
    found = manifest.dependencies
    return len(found) <= MAX_DEPENDENCIES and all(
        one.scope in SCOPES and one.name and "\n" not in one.name + one.constraint + one.version + one.group
        for one in found
    )


@given(st.sampled_from(PATHS), st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)))
@settings(max_examples=300, deadline=None)
@example("pnpm-lock.yaml", b"packages: {a@1: &a {b: *a}}")
def test_no_parser_raises_on_arbitrary_bytes(path: str, content: bytes) -> None:
    manifest = tried(path, read_text(content)[0])

    assert manifest is None or is_sane(manifest)


WORDS = st.sampled_from(
    ["[project]", "[package]", "name", "=", ":", '"a"', "'b'", "{", "}", "[", "]", "(", ")", ",", "\n", "  ", "- ", "\\",
     "dependencies", "implementation", "gem", "do", "end", "FROM", "AS", "require", "module", "version", "*a", "&a", "#",
     "//", "/*", "*/", '"""', "<a>", "</a>", "uses", "source", "$x", "${y}", "=>", "only", ":test", "1.0", "package"]
)  # fmt: skip


@given(st.sampled_from(PATHS), st.lists(WORDS, max_size=60).map(" ".join))
@settings(max_examples=300, deadline=None)
@example("requirements.txt", "// //")
def test_no_parser_raises_on_what_nearly_is_a_manifest(path: str, content: str) -> None:
    manifest = tried(path, content)

    assert manifest is None or is_sane(manifest)


def test_an_alias_bomb_is_one_list_many_times_and_not_many_lists() -> None:
    root = read_yaml(Text(BOMB))

    last = root.get("u")
    assert len(last.elements) == 9
    assert all(one.elements is last.elements[0].elements for one in last.elements)


@pytest.mark.parametrize(
    ("reader", "text", "why"),
    [
        (read_json, "[" * 200 + "]" * 200, "nested too deeply"),
        (read_json, "{" + '"a": 1,' * 10 + "]", "closed what is not open"),
        (read_json, '{"a": "b', "no JSON in line 1"),
        (read_json, "", "ends too early"),
        (read_json, "[" + "1," * 200_001 + "]", "too many values"),
        (read_json, "1 2", "more than one document"),
        (read_yaml, "[" * 200 + "]" * 200, "nested too deeply"),
        (read_yaml, "a: &a [*a]", "an alias inside of what it stands for"),
        (read_yaml, "a: [", "did not find expected"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(reader: Callable[[Text], Node], text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        reader(Text(text))


@pytest.mark.timeout(20)
def test_a_manifest_with_too_many_dependencies_is_cut_in_time() -> None:
    names = ",\n".join(f'"p{number}": "1"' for number in range(MAX_DEPENDENCIES + 5_000))

    found = read("package.json", '{"dependencies": {' + names + "}}")

    assert len(found) == MAX_DEPENDENCIES
    assert found[1_999] == ("p1999", "1", "runtime", 2_000)


def test_one_broken_manifest_is_a_fact_and_the_others_are_read() -> None:
    texts = {
        "package.json": '{"name": "ok", "dependencies": {"react": "1"}}',
        "a/pom.xml": "<!DOCTYPE x><project/>",
        "b/compose.yaml": "a: &a [*a]",
        "c/Cargo.toml": "[a]\n[a]\n",
    }
    tree = [TreeRow(path=path, blob_id="0", mode="100644", size=1, shard=0, file_class="config") for path in texts]
    sources = [
        SourceRow(path=path, blob_id="0", language=None, file_class="config", size=1, lines=1, content=text)
        for path, text in texts.items()
    ]
    gathered = gather_metadata(choose_files(tree), sources)

    assert [(row.name, row.path, row.line) for row in gathered.dependencies] == [("react", "package.json", 1)]
    assert gathered.facts["unreadable_manifests"] == [
        {"path": "a/pom.xml", "reason": "a document type is not read"},
        {"path": "b/compose.yaml", "reason": "an alias inside of what it stands for"},
        {"path": "c/Cargo.toml", "reason": "Cannot declare ('a',) twice (at line 2, column 3)"},
    ]
