# ruff: noqa: E501  # manifests are quoted as they are written
"""What each ecosystem's manifest says, with the line it says it on."""

import pytest

from processor.manifests import compiled, javascript, jvm, python, scripting
from processor.manifests.model import MAX_DEPENDENCIES, EntryPoint, Manifest, Text


def needs(manifest: Manifest) -> list[tuple[str, str, str, int]]:
    return [(item.name, item.constraint, item.scope, item.line) for item in manifest.dependencies]


def test_pyproject_with_pep_621_extras_groups_and_scripts() -> None:
    manifest = python.parse_pyproject(
        Text(
            """\
[build-system]
requires = ["hatchling>=1"]
[project]
name = "tool"
description = "Does   things."
license = "MIT"
dependencies = [
  "httpx[http2]>=0.27,<1",
  "rich",
]
[project.optional-dependencies]
docs = ["sphinx>=7"]
[project.scripts]
tool = "tool.cli:main"
[project.entry-points."pytest11"]
tool = "tool.plugin"
[dependency-groups]
dev = ["pytest>=8", {include-group = "docs"}]
"""
        )
    )

    assert (manifest.name, manifest.description, manifest.licence) == ("tool", "Does things.", "MIT")
    assert needs(manifest) == [
        ("hatchling", ">=1", "build", 2),
        ("httpx", ">=0.27,<1", "runtime", 8),
        ("rich", "", "runtime", 9),
        ("sphinx", ">=7", "optional:docs", 12),
        ("pytest", ">=8", "dev", 18),
    ]
    assert manifest.entry_points == (
        EntryPoint("tool", "tool.cli:main"),
        EntryPoint("tool", "tool.plugin", "pytest11"),
    )


def test_pyproject_with_poetry() -> None:
    manifest = python.parse_pyproject(
        Text(
            """\
[tool.poetry]
name = "old"
license = "BSD"
[tool.poetry.dependencies]
python = "^3.11"
flask = "^3.0"
redis = {version = ">=5", optional = true}
[tool.poetry.group.test.dependencies]
pytest = "*"
[tool.poetry.scripts]
old = "old:main"
"""
        )
    )

    assert needs(manifest) == [
        ("flask", "^3.0", "runtime", 6),
        ("redis", ">=5", "runtime", 7),
        ("pytest", "*", "test", 9),
    ]
    assert (manifest.name, manifest.licence, manifest.entry_points) == ("old", "BSD", (EntryPoint("old", "old:main"),))


def test_requirements_without_options_comments_and_addresses() -> None:
    manifest = python.parse_requirements(
        Text(
            "# pinned\n-r base.txt\nflask==3.0.0 \\\n    --hash=sha256:00\nclick >=8 ; python_version>'3'\n"
            "git+https://x/y.git\n\nuvicorn[standard]\n"
        )
    )

    assert needs(manifest) == [
        ("flask", "==3.0.0", "runtime", 3),
        ("click", ">=8", "runtime", 5),
        ("uvicorn", "", "runtime", 8),
    ]


def test_setup_cfg() -> None:
    manifest = python.parse_setup_cfg(
        Text(
            "[metadata]\nname = lib\ndescription = Says hello\n[options]\ninstall_requires =\n    attrs>=20\n    six\n"
            "[options.extras_require]\ntest = pytest\n[options.entry_points]\nconsole_scripts =\n    lib = lib.cli:main\n"
        )
    )

    assert needs(manifest) == [
        ("attrs", ">=20", "runtime", 6),
        ("six", "", "runtime", 7),
        ("pytest", "", "optional:test", 9),
    ]
    assert manifest.entry_points == (EntryPoint("lib", "lib.cli:main"),)


def test_pipfile() -> None:
    manifest = python.parse_pipfile(Text('[packages]\nflask = "*"\n[dev-packages]\nblack = {version = "==24.1"}\n'))

    assert needs(manifest) == [("flask", "*", "runtime", 2), ("black", "==24.1", "dev", 4)]


def test_package_json() -> None:
    manifest = javascript.parse_package_json(
        Text(
            """\
{
  "name": "@scope/app",
  "description": "An app",
  "license": "ISC",
  "main": "dist/index.js",
  "bin": {"app": "bin/app.js"},
  "scripts": {"test": "vitest run", "react": "x"},
  "dependencies": {
    "react": "^19.0.0"
  },
  "devDependencies": {"vitest": "~2.0", "@types/node": "*"},
  "peerDependencies": {"react": ">=18"}
}
"""
        )
    )

    assert needs(manifest) == [
        ("react", "^19.0.0", "runtime", 9),
        ("vitest", "~2.0", "dev", 11),
        ("@types/node", "*", "dev", 11),
        ("react", ">=18", "peer", 12),
    ]
    assert manifest.entry_points[:2] == (
        EntryPoint("app", "bin/app.js"),
        EntryPoint("@scope/app", "dist/index.js", "module"),
    )
    assert EntryPoint("test", "vitest run", "script") in manifest.entry_points


def test_go_mod() -> None:
    manifest = compiled.parse_go_mod(
        Text(
            "module github.com/a/b\n\ngo 1.22\n\nrequire (\n\tgithub.com/x/y v1.2.3\n\tgolang.org/x/z v0.1.0 // indirect\n)\n"
            "require gopkg.in/yaml.v3 v3.0.1\nreplace github.com/x/y v1.2.3 => ../y\n"
        )
    )

    assert manifest.name == "github.com/a/b"
    assert needs(manifest) == [
        ("github.com/x/y", "v1.2.3", "runtime", 6),
        ("golang.org/x/z", "v0.1.0", "indirect", 7),
        ("gopkg.in/yaml.v3", "v3.0.1", "runtime", 9),
    ]


def test_cargo_toml() -> None:
    manifest = compiled.parse_cargo(
        Text(
            '[package]\nname = "rg"\nlicense = "MIT OR Unlicense"\n[dependencies]\nserde = { version = "1", optional = true }\n'
            'memchr = "2"\n[dev-dependencies]\nquick = "1"\n[target."cfg(unix)".dependencies]\nlibc = "0.2"\n'
            '[[bin]]\nname = "rg"\npath = "src/main.rs"\n'
        )
    )

    assert needs(manifest) == [
        ("serde", "1", "optional", 5),
        ("memchr", "2", "runtime", 6),
        ("quick", "1", "dev", 8),
        ("libc", "0.2", "runtime", 10),
    ]
    assert manifest.entry_points == (EntryPoint("rg", "src/main.rs"),)


def test_cmake_vcpkg_and_conan() -> None:
    cmake = compiled.parse_cmake(
        Text(
            "project(demo CXX)\nfind_package(Boost 1.80 REQUIRED)\nfind_package(Doxygen)\nadd_executable(tool main.cc)\n"
        )
    )
    vcpkg = compiled.parse_vcpkg(Text('{"name": "x", "dependencies": ["fmt", {"name": "zlib", "version>=": "1.3"}]}'))
    conan = compiled.parse_conanfile(
        Text("[requires]\nfmt/10.2.1@user/ch # why\n[tool_requires]\ncmake/3.27\n[options]\na=b\n")
    )

    assert needs(cmake) == [("Boost", "1.80", "runtime", 2), ("Doxygen", "", "optional", 3)]
    assert (cmake.name, cmake.entry_points) == ("demo", (EntryPoint("tool", ""),))
    assert needs(vcpkg) == [("fmt", "", "runtime", 1), ("zlib", ">=1.3", "runtime", 1)]
    assert needs(conan) == [("fmt", "10.2.1", "runtime", 2), ("cmake", "3.27", "build", 4)]


POM = """\
<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>org.x</groupId><artifactId>app</artifactId><version>1.0</version>
  <description>An app</description>
  <licenses><license><name>Apache-2.0</name></license></licenses>
  <properties><guava.version>33.0</guava.version></properties>
  <dependencies>
    <dependency>
      <groupId>com.google.guava</groupId>
      <artifactId>guava</artifactId>
      <version>${guava.version}</version>
    </dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.13</version><scope>test</scope></dependency>
  </dependencies>
</project>
"""


def test_pom_with_properties() -> None:
    manifest = jvm.parse_pom(Text(POM))

    assert (manifest.name, manifest.description, manifest.licence) == ("org.x:app", "An app", "Apache-2.0")
    assert needs(manifest) == [("com.google.guava:guava", "33.0", "runtime", 10), ("junit:junit", "4.13", "test", 13)]


@pytest.mark.parametrize(
    "evil",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><project>&b;</project>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><project/>',
        "<project>" * 3,
        "",
    ],
)
def test_xml_with_a_document_type_or_none_at_all_is_refused(evil: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any of the parser's messages
        jvm.parse_pom(Text(evil))


def test_gradle_and_its_version_catalogue() -> None:
    gradle = jvm.parse_gradle(
        Text(
            "dependencies {\n    implementation 'com.google.guava:guava:33.0'\n    testImplementation(\"junit:junit:4.13\")\n"
            '    api(platform("org.x:bom:1"))\n    implementation(libs.okhttp.core)\n    implementation project(":core")\n}\n'
        )
    )
    catalog = jvm.parse_version_catalog(
        Text(
            '[versions]\nok = "4.12"\n[libraries]\nokhttp = { module = "com.squareup:okhttp", version.ref = "ok" }\n'
            'gson = "com.google.code.gson:gson:2.10"\n'
        )
    )

    assert needs(gradle) == [
        ("com.google.guava:guava", "33.0", "runtime", 2),
        ("junit:junit", "4.13", "test", 3),
        ("org.x:bom", "1", "runtime", 4),
        ("libs.okhttp.core", "", "runtime", 5),
    ]
    assert needs(catalog) == [
        ("com.squareup:okhttp", "4.12", "catalog", 4),
        ("com.google.code.gson:gson", "2.10", "catalog", 5),
    ]


def test_dotnet_project() -> None:
    manifest = jvm.parse_dotnet(
        Text(
            '<Project Sdk="Microsoft.NET.Sdk">\n<PropertyGroup><OutputType>Exe</OutputType></PropertyGroup>\n<ItemGroup>\n'
            '<PackageReference Include="Serilog" Version="3.1.1" />\n'
            '<PackageReference Include="xunit"><Version>2.6</Version></PackageReference>\n</ItemGroup>\n</Project>\n'
        )
    )

    assert needs(manifest) == [("Serilog", "3.1.1", "runtime", 4), ("xunit", "2.6", "runtime", 5)]
    assert manifest.entry_points == (EntryPoint("", "Exe"),)


def test_gemfile_gemspec_and_composer() -> None:
    gemfile = scripting.parse_gemfile(
        Text(
            "source 'https://rubygems.org'\ngem 'rails', '~> 7.1'\ngroup :test, :ci do\n  gem 'rspec'\nend\ngem \"puma\"\n"
        )
    )
    gemspec = scripting.parse_gemspec(
        Text(
            "Gem::Specification.new do |s|\n  s.name = 'x'\n  s.add_dependency 'rack', '>= 2'\n  s.add_development_dependency('rake')\nend\n"
        )
    )
    composer = scripting.parse_composer(
        Text(
            '{"name": "a/b", "require": {"php": ">=8.1",\n "psr/log": "^3"}, "require-dev": {"phpunit/phpunit": "^10"}}'
        )
    )

    assert needs(gemfile) == [
        ("rails", "~> 7.1", "runtime", 2),
        ("rspec", "", "test+ci", 4),
        ("puma", "", "runtime", 6),
    ]
    assert needs(gemspec) == [("rack", ">= 2", "runtime", 3), ("rake", "", "dev", 4)]
    assert needs(composer) == [("psr/log", "^3", "runtime", 2), ("phpunit/phpunit", "^10", "dev", 2)]


PARSERS = [
    python.parse_pyproject, python.parse_requirements, python.parse_setup_cfg, python.parse_pipfile,
    javascript.parse_package_json, compiled.parse_go_mod, compiled.parse_cargo, compiled.parse_cmake, compiled.parse_vcpkg,
    compiled.parse_conanfile, jvm.parse_pom, jvm.parse_gradle, jvm.parse_version_catalog, jvm.parse_dotnet,
    scripting.parse_gemfile, scripting.parse_gemspec, scripting.parse_composer,
]  # fmt: skip
HOSTILE = [
    "", "\ufeff{}", "[]", "null", "1", '"x"', "{", "[" * 20_000, '{"a":' * 20_000, "a = " + "[" * 20_000, "x" * 1_000_000,
    '{"dependencies": [1, null]}', '{"dependencies": {"a": {"b": 1}}, "bin": 3, "license": [], "scripts": "x"}',
    '[project]\ndependencies = "x"\nscripts = 1\n[tool.poetry]\ndependencies = []\n', "[dependencies]\n[dependencies]\n",
    "<a>" * 10_000, "gem '" + "(" * 100_000, "find_package(" * 10_000, "implementation(" * 10_000, "\u202e\x00\n" * 100,
]  # fmt: skip


@pytest.mark.parametrize("parse", PARSERS)
def test_nonsense_is_refused_or_says_nothing_and_quickly(parse: "type[Manifest]") -> None:
    for text in HOSTILE:
        try:
            manifest = parse(Text(text))  # type: ignore[arg-type, call-arg]  # the parsers are functions
        except (ValueError, RecursionError):
            continue
        assert len(manifest.dependencies) <= MAX_DEPENDENCIES


@pytest.mark.timeout(20)
def test_a_manifest_with_too_many_dependencies_is_cut_in_time() -> None:
    names = ",\n".join(f'"p{number}": "1"' for number in range(40_000))

    manifest = javascript.parse_package_json(Text('{"dependencies": {' + names + "}}"))

    assert len(manifest.dependencies) == MAX_DEPENDENCIES
    assert manifest.dependencies[1_999].line == 2_000
