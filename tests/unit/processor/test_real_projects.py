# ruff: noqa: E501  # manifests are quoted as they are written
"""What tables of real projects showed to be wrong, each in its smallest form."""

import pytest

from processor.languages.detect import file_class_of, language_of
from processor.linking.jvm_dependencies import JvmDependencies
from processor.linking.meanings import Known
from processor.linking.own_modules import known_of
from processor.manifests.registry import read_manifest
from processor.stages.choose_files import choose_files
from processor.stages.gather_metadata import gather_metadata
from processor.stages.list_dependencies import Read, list_dependencies
from processor.stages.recognise_licence import recognise_licence
from tests.unit.processor.test_describe import BSD, MIT, THIRD, a_tree
from tests.unit.processor.test_link import imports

UNLICENSE = """This is free and unencumbered software released into the public domain.
Anyone is free to copy, modify, publish, use, compile, sell, or distribute this software, either in source code form
or as a compiled binary. We make this dedication for the benefit of the public at large and to the detriment of our
heirs and successors."""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("/*\n" + " licence\n" * 900 + "*/\n#ifndef X\nFMT_BEGIN\ntemplate <typename T> T f();\n", "cpp"),
        ("// x\n" * 900 + "namespace a {\n", "cpp"),
        ("/* a\nclass of functions: using the\nnamespace std::\n*/\nint f(void);\n", "c"),
        ("/* never closed\nnamespace a {", "c"),
        ("int classes;\nstruct a { int using; };\n", "c"),
        ("class Foo\n{\npublic:\n", "cpp"),
        ("using std::string;\n", "cpp"),
    ],
)
def test_all_of_a_header_says_whether_it_is_c_or_cpp_and_its_comments_do_not(text: str, language: str) -> None:
    assert language_of("include/a.h", text) == language


def test_a_header_of_many_blank_lines_is_looked_at_in_no_time() -> None:
    assert language_of("a.h", "\n" * 1_000_000) == "c"
    assert language_of("a.h", "/*" * 500_000) == "c"
    assert language_of("a.h", "class a\n" * 100_000) == "c"


@pytest.mark.parametrize(
    ("path", "file_class"),
    [
        ("docs/skill_spec.md", "docs"),
        ("a_test.md", "docs"),
        ("a_spec.rb", "test"),
        ("tests/a.md", "test"),
        ("doc/specs/idl.md", "docs"),
    ],
)
def test_a_specification_in_prose_is_no_test(path: str, file_class: str) -> None:
    assert file_class_of(path, language_of(path)) == file_class


@pytest.mark.parametrize(
    ("manifest", "spdx"),
    [
        ('[package]\nname = "a"\nlicense = "Unlicense OR MIT"\n', "Unlicense OR MIT"),
        ('[package]\nname = "a"\nlicense = "MIT/Unlicense"\n', "MIT OR Unlicense"),
        ('[package]\nname = "a"\nlicense = "Apache-2.0 OR MIT"\n', "MIT"),
        ('[package]\nname = "a"\n', "MIT"),
    ],
)
def test_several_licences_are_all_told_and_a_manifest_says_how_they_belong_together(manifest: str, spdx: str) -> None:
    tree, sources = a_tree({"LICENSE-MIT": MIT, "UNLICENSE": UNLICENSE, "Cargo.toml": manifest})

    found = gather_metadata(choose_files(tree), sources).facts["licence"]

    assert isinstance(found, dict)
    assert found["spdx"] == spdx
    assert [(one["spdx"], one["path"]) for one in found["texts"]] == [
        ("MIT", "LICENSE-MIT"),
        ("Unlicense", "UNLICENSE"),
    ]


def test_what_a_project_has_from_others_stands_below_its_own_licence() -> None:
    found = recognise_licence(f"{MIT}\nParts are from elsewhere:\n{BSD.format(third=THIRD)}")

    assert found is not None
    assert found.spdx == "MIT"


def test_a_compiled_list_of_requirements_says_what_is_only_needed_by_others() -> None:
    manifest = read_manifest(
        "requirements.txt",
        "amqp==5.1.1 \\\n    --hash=sha256:00\n    # via kombu\ncelery==5.2 # ours\n    # via app (pyproject.toml)\nclick==8\n"
        "    # via\n    #   celery\n    #   flask\nextra==1\n    # via -r /tmp/in.txt\nboth==1\n    # via\n    #   -r a.in\n"
        "    #   click\nplain==1\n",
    )

    assert [(one.name, one.scope) for one in manifest.dependencies] == [
        ("amqp", "transitive"),
        ("celery", "runtime"),
        ("click", "transitive"),
        ("extra", "runtime"),
        ("both", "runtime"),
        ("plain", "runtime"),
    ]


def test_a_list_of_cmake_is_no_list_of_requirements_and_its_imported_programs_are_not_built() -> None:
    text = "find_package(ZLIB REQUIRED)\nadd_executable(app ${app_SOURCES})\nadd_executable(C::${x} IMPORTED)\nadd_executable(tool IMPORTED)\n"
    manifest = read_manifest("lib/CMakeLists.txt", text)
    [row] = list_dependencies([Read("lib/CMakeLists.txt", manifest, is_lock=False)])

    assert (row.name, row.scope, row.group) == ("ZLIB", "runtime", "")
    assert [point.name for point in manifest.entry_points] == ["app"]


def test_a_package_of_the_tests_does_not_stand_for_the_dependency_it_tests() -> None:
    files = {
        "docs/ext.py": "import sphinx\nimport helpers\n",
        "tests/sphinx/__init__.py": "",
        "tests/test_docs.py": "import sphinx\n",
        "tests/helpers.py": "",
    }

    assert imports(files, Known({"python": frozenset({"sphinx"})})) == [
        ("dependency", "sphinx"),
        ("file", "tests/helpers.py"),
        ("file", "tests/sphinx/__init__.py"),
    ]


def test_crates_of_the_repository_and_modules_at_a_path_of_their_own_are_files() -> None:
    files = {
        "a/src/lib.rs": '#[cfg(x)]\n#[path = "off.rs"]\nmod imp;\nuse own_b::deep::Thing;\nuse own_b::Other;\n',
        "a/src/off.rs": "",
        "b/code/lib.rs": "pub mod deep;\npub struct Other;\n",
        "b/code/deep.rs": "pub struct Thing;\n",
    }
    cargo = '[package]\nname = "own-b"\n\n[lib]\npath = "code/lib.rs"\n[[bin]]\nname = "x"\npath = "y"\n'
    known = known_of([("b/Cargo.toml", cargo), ("bad/Cargo.toml", "[[[")], {"rust": frozenset({"own-b"})})

    assert imports(files, known) == [
        ("file", "a/src/off.rs"),
        ("file", "b/code/deep.rs"),
        ("file", "b/code/lib.rs"),
        ("file", "b/code/deep.rs"),
    ]


@pytest.mark.parametrize(
    ("module", "coordinates"),
    [
        ("org.junit.Test", "junit:junit"),
        ("org.junit.jupiter.api.Test", "org.junit.jupiter:junit-jupiter"),
        ("com.google.common.truth.Truth.assertThat", "com.google.truth:truth"),
        ("com.google.common.collect.ImmutableList", "com.google.guava:guava"),
        ("com.google.errorprone.annotations.Keep", "com.google.errorprone:error_prone_annotations"),
        ("com.fasterxml.jackson.databind.ObjectMapper", "com.fasterxml.jackson.core:jackson-databind"),
        ("com.google.unheard.Of", None),
        ("elsewhere.Thing", None),
    ],
)
def test_a_package_of_java_comes_from_the_dependency_whose_group_it_begins_with(
    module: str, coordinates: str | None
) -> None:
    known = "junit:junit org.junit.jupiter:junit-jupiter com.google.truth:truth com.google.guava:guava "
    known += "com.google.errorprone:error_prone_annotations com.google.errorprone:javac "
    known += "com.fasterxml.jackson.core:jackson-databind com.fasterxml.jackson.core:jackson-core com.google.x:y"

    assert JvmDependencies(known.split()).of(module) == coordinates


def test_plugins_of_maven_profiles_are_read() -> None:
    plugin = "<build><plugins><plugin><artifactId>{}</artifactId></plugin></plugins></build>"
    profiles = f"<profiles><profile><id>r</id>{plugin.format('maven-gpg-plugin')}</profile><profile/></profiles>"
    manifest = read_manifest("pom.xml", f"<project>{plugin.format('jar')}{profiles}</project>")

    assert [(one.name, one.scope, one.group) for one in manifest.dependencies] == [
        ("org.apache.maven.plugins:jar", "build", "plugin"),
        ("org.apache.maven.plugins:maven-gpg-plugin", "build", "plugin"),
    ]


@pytest.mark.parametrize(
    ("path", "language"), [("a.hx", "haxe"), ("x/config.m4", "m4"), ("a.tcc", "cpp"), ("base.kml", "xml")]
)
def test_files_that_other_tools_name_have_a_language(path: str, language: str) -> None:
    assert language_of(path) == language


def test_headers_of_the_system_are_no_riddle() -> None:
    assert imports({"a.c": "#include <sys/mman.h>\n#include <lib/own.h>\n"}) == [
        ("standard", "sys/mman.h"),
        ("unknown", "lib/own.h"),
    ]
