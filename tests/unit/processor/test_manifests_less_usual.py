# ruff: noqa: E501  # manifests are quoted as they are written
"""Forms of manifests that are documented and seldom used: nothing of them is lost, and nothing is made of what is none."""

import time

import pytest

from processor.manifests.model import EntryPoint
from processor.manifests.registry import format_of, read_manifest
from processor.stages.list_dependencies import Read, list_dependencies
from tests.support.manifests import needs, read


def rows(**files: str) -> list[tuple[str, str, str, str]]:
    """Name, constraint, version and scope of all files of a repository; `_` of a keyword is `/`, `__` a dot."""
    found = []
    for key, content in files.items():
        path = key.replace("__", ".").replace("_", "/")
        form = format_of(path)
        assert form is not None, path
        found.append(Read(path, read_manifest(path, content), form.is_lock))
    return [(row.name, row.constraint, row.version, row.scope) for row in list_dependencies(found)]


def test_pyproject_of_uv_pdm_hatch_and_poetry() -> None:
    text = """\
[project]
dependencies = ["torch", "requests>=2"]
[tool.uv]
build-constraint-dependencies = ["setuptools==60"]
[tool.uv.sources]
Torch = [{ url = "https://example.org/torch.whl" }]
requests = { git = "https://example.org/requests" }
[tool.pdm.dev-dependencies]
lint = ["-e file:///${PROJECT_ROOT}/sub#egg=sub"]
[tool.pdm.scripts]
start = "flask run"
all = { composite = ["start"] }
go = { cmd = ["python", "go.py"] }
[tool.hatch.envs.test]
extra-dependencies = ["hypothesis"]
[tool.poetry.dependencies]
boto3 = { version = "^1", optional = true }
[tool.poetry.extras]
s3 = ["boto3"]
"""
    manifest = read_manifest("pyproject.toml", text)

    assert needs(manifest) == [
        ("torch", "https://example.org/torch.whl", "runtime", 2),
        ("requests", ">=2", "runtime", 2),
        ("boto3", "^1", "optional:s3", 17),
        ("sub", "file:///${PROJECT_ROOT}/sub#egg=sub", "dev:lint", 9),
        ("setuptools", "==60", "constraint", 4),
        ("hypothesis", "", "test:test", 15),
    ]
    assert manifest.entry_points == (
        EntryPoint("start", "flask run", "script"),
        EntryPoint("go", "python go.py", "script"),
    )


def test_setup_cfg_with_lists_on_one_line() -> None:
    text = "[options]\ninstall_requires = a>=1; b\nsetup_requires = c; python_version < '3'\n[options.extras_require]\nd = e;f\n"

    assert read("setup.cfg", text) == [
        ("a", ">=1", "runtime", 2),
        ("b", "", "runtime", 2),
        ("c", "", "build", 3),
        ("e", "", "optional:d", 5),
        ("f", "", "optional:d", 5),
    ]


def test_setup_py_whose_lists_have_names() -> None:
    text = """\
REQ = ["attrs>=1"]
EXTRAS = {"test": ["pytest"], ":python_version < '3'": ["enum34"]}
UNUSED = ["nothing"]
setup(
    install_requires=REQ,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["run = pkg:main"], "pytest11": ["p=pkg.p"]},
)
"""
    manifest = read_manifest("setup.py", text)

    assert needs(manifest) == [
        ("attrs", ">=1", "runtime", 1),
        ("pytest", "", "optional:test", 2),
        ("enum34", "", "runtime", 2),
    ]
    assert manifest.entry_points == (EntryPoint("run", "pkg:main"), EntryPoint("p", "pkg.p", "pytest11"))


def test_requirements_of_the_project_itself_are_none_of_others() -> None:
    assert read("requirements.txt", "-e .[dev]\n.\n-e ./sub[x]\n") == [("sub", "./sub[x]", "runtime", 3)]


def test_categories_of_a_pipfile() -> None:
    pipfile = '[packages]\na = "*"\n[docs]\nsphinx = ">=5"\n[scripts]\ngo = {call = "m:f"}\n'
    lock = '{"_meta": {"sources": {}}, "default": {"a": {"version": "==1"}}, "docs": {"sphinx": {"version": "==5.1"}}}'

    assert read_manifest("Pipfile", pipfile).entry_points == (EntryPoint("go", "m:f", "script"),)
    assert rows(Pipfile=pipfile, Pipfile__lock=lock) == [
        ("a", "*", "1", "runtime"),
        ("sphinx", ">=5", "5.1", "dev"),
        ("a", "", "1", "runtime"),
        ("sphinx", "", "5.1", "dev"),
    ]


@pytest.mark.parametrize(
    ("key", "name", "group"),
    [
        ("a", "a", ""),
        ("@s/a", "@s/a", ""),
        ("@s/a@^1", "@s/a", ""),
        ("a@>=1.0 <2", "a", ""),
        ("a@1>b@>=2", "b", "a"),
        ("@s/a>@t/b", "@t/b", "@s/a"),
        ("**/a", "a", ""),
        ("a/**/@s/b", "@s/b", "a"),
        ("a/b", "b", "a"),
    ],
)
def test_keys_of_overrides(key: str, name: str, group: str) -> None:
    manifest = read_manifest("package.json", f'{{"pnpm": {{"overrides": {{"{key}": "9"}}}}}}')

    assert [(one.name, one.group) for one in manifest.dependencies] == [(name, group)]


def test_overrides_within_overrides_and_those_that_say_what_is_asked_for() -> None:
    text = '{"dependencies": {"e": "^1"},\n"overrides": {"e": "$e", "bar": {".": "2", "baz": "3"}}}'

    assert read("package.json", text) == [
        ("e", "^1", "runtime", 1),
        ("e", "^1", "constraint", 2),
        ("bar", "2", "constraint", 2),
        ("baz", "3", "constraint:bar", 2),
    ]


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        (
            "package-lock__json",
            '{"packages": {"": {"dependencies": {"short": "npm:@s/real@^1"}}, "node_modules/short": {"name": "@s/real", "version": "1.2"}}}',
        ),
        ("yarn__lock", '"short@npm:@s/real@^1":\n  version: 1.2\n  resolution: "@s/real@npm:1.2"\n'),
        (
            "pnpm-lock__yaml",
            "importers:\n  .:\n    dependencies:\n      short:\n        specifier: npm:@s/real@^1\n        version: '@s/real@1.2'\npackages:\n  '@s/real@1.2':\n    resolution: {}\n",
        ),
    ],
)
def test_a_package_of_javascript_under_another_name(name: str, lock: str) -> None:
    manifest = '{"dependencies": {"short": "npm:@s/real@^1"}}'

    assert rows(**{"package__json": manifest, name: lock}) == [
        ("short", "npm:@s/real@^1", "1.2", "runtime"),
        ("@s/real", "", "1.2", "runtime"),
    ]


def test_a_replacement_in_go_holds_for_its_version() -> None:
    text = "require a.example/b v1.2.0\nrequire a.example/c v1.0.0\nreplace a.example/b v1.1.0 => ../b\nreplace a.example/c v1.0.0 => ../c\n"

    assert read("go.mod", text) == [
        ("a.example/b", "v1.2.0", "runtime", 1),
        ("a.example/c", "v1.0.0 => ../c", "runtime", 2),
    ]


def test_crates_that_a_workspace_calls_otherwise() -> None:
    shared = '[workspace.dependencies]\njson = { package = "serde_json", version = "1.0" }\n[patch.crates-io]\nrand = { git = "https://example.org/rand" }\n'
    crate = '[dependencies]\njson.workspace = true\nwinapi = "0.3"\n'
    lock = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = "registry"\n'
        for name, version in (("serde_json", "1.0.1"), ("winapi", "0.2.9"), ("winapi", "0.3.9"))
    )
    own = '[[package]]\nname = "own"\nversion = "1.0.0"\ndependencies = ["serde_json", "winapi 0.3.9"]\n'

    assert rows(Cargo__toml=shared, a_Cargo__toml=crate, Cargo__lock=lock + own) == [
        ("serde_json", "1.0", "", "managed"),
        ("rand", "https://example.org/rand", "", "constraint"),
        ("serde_json", "1.0", "1.0.1", "runtime"),
        ("winapi", "0.3", "0.3.9", "runtime"),
        ("serde_json", "", "1.0.1", "runtime"),
        ("winapi", "", "0.2.9", "transitive"),
        ("winapi", "", "0.3.9", "runtime"),
    ]


def test_a_pom_with_profiles_extensions_and_what_plugins_need() -> None:
    text = """<project><build>
<plugins><plugin><artifactId>p</artifactId>
<dependencies><dependency><groupId>g</groupId><artifactId>d</artifactId><version>1</version></dependency></dependencies>
<configuration><annotationProcessorPaths><path><groupId>g</groupId><artifactId>a</artifactId><version>2</version></path></annotationProcessorPaths></configuration>
</plugin></plugins>
<extensions><extension><groupId>g</groupId><artifactId>e</artifactId><version>3</version></extension></extensions></build>
<profiles><profile><id>q</id><properties><v>9</v></properties>
<dependencies><dependency><groupId>g</groupId><artifactId>x</artifactId><version>${v}</version></dependency></dependencies>
<dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>m</artifactId><version>${v}</version></dependency></dependencies></dependencyManagement>
</profile></profiles>
<reporting><plugins><plugin><artifactId>r</artifactId></plugin></plugins></reporting></project>"""

    assert read("pom.xml", text) == [
        ("g:x", "9", "runtime:q", 8),
        ("g:m", "9", "managed", 9),
        ("org.apache.maven.plugins:p", "", "build:plugin", 2),
        ("g:d", "1", "build:plugin", 3),
        ("g:a", "2", "build:annotationProcessor", 4),
        ("org.apache.maven.plugins:r", "", "build:plugin", 11),
        ("g:e", "3", "build:extension", 6),
    ]


def test_gradle_with_rich_versions_and_source_sets() -> None:
    text = """\
val v = "3"
dependencies {
  implementation("g:n") { version { strictly("[1,2)") } }
  implementation("g:m:" + v)
}
kotlin { sourceSets {
  val commonMain by getting { dependencies { implementation("g:c:1") } }
  val commonTest by getting { dependencies { implementation("g:t:1") } }
  jvmTest.dependencies { implementation("g:j:1") }
} }
"""
    assert rows(build__gradle__kts=text) == [
        ("g:n", "[1,2)", "", "runtime"),
        ("g:m", "3", "", "runtime"),
        ("g:c", "1", "", "runtime"),
        ("g:t", "1", "", "test"),
        ("g:j", "1", "", "test"),
    ]


def test_references_of_dotnet_for_several_packages_for_all_projects_and_for_tools() -> None:
    text = """<Project Sdk="Microsoft.NET.Sdk.Web"><ItemGroup>
<PackageReference Include="A;B" Version="1" />
<GlobalPackageReference Include="G" Version="2" />
<DotNetCliToolReference Include="T" Version="3" />
</ItemGroup></Project>"""
    tests = '<Project><PropertyGroup><IsTestProject>true</IsTestProject></PropertyGroup><PackageReference Include="Moq"/></Project>'

    assert read("app.csproj", text) == [
        ("A", "1", "runtime", 2),
        ("B", "1", "runtime", 2),
        ("G", "2", "build", 3),
        ("T", "3", "build", 4),
    ]
    assert read_manifest("app.csproj", text).entry_points == (EntryPoint("app", "Exe"),)
    assert read("t.csproj", tests) == [("Moq", "", "test", 1)]


def test_where_gems_come_from_and_whose_platform_they_are_of() -> None:
    gemfile = """\
git_source(:own) { |name| "https://example.org/#{name}" }
gem 'a', path: '../a'
gem 'b', own: 'team/b'
git 'https://example.org/all.git' do
  gem 'c'
end
gem 'd', :group => :production, platforms: :ruby
gem 'nokogiri', groups: [:test, :ci], platforms: [:ruby]
"""
    lock = "GEM\n  specs:\n    nokogiri (1.15)\n    nokogiri (1.15-x86_64-linux)\n\nDEPENDENCIES\n  nokogiri\n"

    assert read("Gemfile", gemfile) == [
        ("a", "../a", "runtime", 2),
        ("b", "team/b", "runtime", 3),
        ("c", "https://example.org/all.git", "runtime", 5),
        ("d", "", "runtime:production", 7),
        ("nokogiri", "", "dev:test+ci", 8),
    ]
    assert ("nokogiri", "", "1.15", "dev") in rows(Gemfile=gemfile, Gemfile__lock=lock)


def test_mix_with_versions_that_have_names() -> None:
    text = """\
@phoenix "~> 1.7"
def project, do: [app: :x, package: [licenses: ["MIT", "Apache-2.0"]], escript: [main_module: X.CLI], deps: deps()]
def application, do: [mod: {X.Application, []}]
defp deps do
  [{:phoenix, @phoenix}, {:gen, "~> 1", runtime: false}, {:ok, @nothing}]
end
"""
    manifest = read_manifest("mix.exs", text)

    assert needs(manifest) == [("phoenix", "~> 1.7", "runtime", 5), ("gen", "~> 1", "build", 5)]
    assert manifest.licence == "MIT OR Apache-2.0"
    assert manifest.entry_points == (
        EntryPoint("X.CLI", "X.CLI", "command"),
        EntryPoint("X.Application", "X.Application", "application"),
    )


def test_overrides_of_pub_in_a_file_of_their_own() -> None:
    assert read("pubspec_overrides.yaml", "dependency_overrides:\n  http:\n    path: ../http\n") == [
        ("http", "../http", "constraint", 2)
    ]


def test_cmake_with_variables_brackets_and_cpm() -> None:
    text = """\
project(Tool LANGUAGES CXX)
set(TAG v3.1)
#[==[ find_package(NoSuch) ]==]
FetchContent_Declare(Catch2 GIT_REPOSITORY https://example.org/c GIT_TAG ${TAG})
find_package(Qt${QT_MAJOR} ${QT_MIN} REQUIRED)
CPMAddPackage("https://example.org/a/b.git@1.0")
CPMFindPackage(NAME fmt VERSION 9 GITHUB_REPOSITORY fmtlib/fmt)
if((A) AND (B))
  add_executable(${PROJECT_NAME}-cli main.cpp)
endif()
message("find_package(Not)" [[ find_package(Neither) ]])
"""
    manifest = read_manifest("CMakeLists.txt", text)

    assert needs(manifest) == [
        ("Catch2", "v3.1", "runtime:https://example.org/c", 4),
        ("Qt${QT_MAJOR}", "${QT_MIN}", "runtime", 5),
        ("b", "1.0", "runtime:https://example.org/a/b.git", 6),
        ("fmt", "9", "runtime:fmtlib/fmt", 7),
    ]
    assert manifest.entry_points == (EntryPoint("Tool-cli", ""),)


def test_what_a_conanfile_lists_is_needed_when_it_runs() -> None:
    assert rows(conanfile__txt="[requires]\nfmt/9.1.0\n", conanfile__py='python_requires = "base/1.0"\n') == [
        ("fmt", "9.1.0", "", "runtime"),
        ("base", "1.0", "", "build"),
    ]


def test_ports_of_vcpkg_with_every_kind_of_version_and_features_of_their_own() -> None:
    text = """{"name": "x", "dependencies": ["fmt"], "features": {"all": {"dependencies": [{"name": "x", "features": ["a"]}, "zlib"]}},
"overrides": [{"name": "a", "version-semver": "1.0"}, {"name": "b", "version-date": "2020-01-01"}, {"name": "c", "version-string": "vista"}]}"""

    assert read("vcpkg.json", text) == [
        ("fmt", "", "runtime", 1),
        ("zlib", "", "optional:all", 1),
        ("a", "1.0", "constraint", 2),
        ("b", "2020-01-01", "constraint", 2),
        ("c", "vista", "constraint", 2),
    ]


def test_a_wrap_is_called_without_its_release() -> None:
    text = "[wrap-file]\ndirectory = fmt-9.1.0\nsource_filename = fmt.tar.gz\n"

    assert read("subprojects/fmt.wrap", text) == [("fmt", "9.1.0", "runtime:wrap", 2)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Dockerfile", "".join(f"FROM a{n} AS s{n}\nCOPY --from=b{n} / /\n" for n in range(10_000))),
        ("Gemfile", "".join(f"git_source(:a{n})\ngem 'g{n}'\n" for n in range(5_000))),
        (
            "pyproject.toml",
            "[tool.poetry.extras]\n"
            + "".join(f"e{n} = ['d{n}']\n" for n in range(3_000))
            + "[tool.poetry.dependencies]\n"
            + "".join(f"d{n} = {{version = '1', optional = true}}\n" for n in range(3_000)),
        ),
        ("CMakeLists.txt", "set(A x)\n" + "#[=" * 50_000 + "find_package(" + "${A}" * 10_000),
    ],
)
def test_long_manifests_take_time_by_their_length(path: str, text: str) -> None:
    begun = time.process_time()
    read_manifest(path, text)

    assert time.process_time() - begun < 3


def test_dockerfile_with_documents_mounts_arguments_of_arguments_and_another_escape() -> None:
    text = """\
# escape=`
ARG TAG=3 OS=debian
ARG TAG=3.18
ARG BASE=alpine:${TAG}
FROM ${BASE} AS base
ENTRYPOINT ["/base"]
FROM ${OS}:12 `
  AS build
CMD ["never"]
RUN --mount=type=bind,from=tools:1,target=/t <<EOF
FROM not:an-image
EOF
COPY --from=base /a /b
FROM base
CMD ["/go"]
"""
    manifest = read_manifest("Dockerfile", text)

    assert needs(manifest) == [
        ("tools", "1", "build:mount", 10),
        ("alpine", "3.18", "runtime:base", 5),
        ("debian", "12", "build:build", 7),
    ]
    assert manifest.entry_points == (
        EntryPoint("ENTRYPOINT", '["/base"]', "container"),
        EntryPoint("CMD", '["/go"]', "container"),
    )


def test_actions_that_are_pinned_that_run_an_image_and_that_run_a_script() -> None:
    commit = "0c45773b623bea8c8e75f6c82b208c3cf94ea4f9"
    text = f"jobs:\n  a:\n    container: ${{{{ matrix.image }}}}\n    steps:\n      - uses: actions/cache/save@{commit} # v4.0.2\n"
    [pinned] = read_manifest(".github/workflows/ci.yml", text).dependencies

    assert (pinned.name, pinned.constraint, pinned.version) == ("actions/cache/save", commit, "v4.0.2")
    assert read("action.yml", "runs:\n  using: docker\n  image: docker://debian:12\n") == [
        ("debian", "12", "runtime", 3)
    ]
    script = read_manifest("action.yml", "name: A\nruns:\n  using: node20\n  main: dist/index.js\n")
    assert script.entry_points == (EntryPoint("A", "dist/index.js", "action"),)


def test_charts_of_the_first_form_wherever_they_are() -> None:
    assert read("deploy/requirements.yaml", "dependencies:\n- name: q\n  version: 1\n") == [("q", "1", "runtime", 2)]
    assert read("roles/requirements.yml", "collections:\n- name: community.general\n") == []


def test_terraform_with_old_providers_git_modules_and_the_registry_of_opentofu() -> None:
    text = """\
provider "azurerm" {
  version = "=2.0"
}
provider "aws" {
  region = "x"
}
module "net" {
  source = "git::https://example.org/net.git?ref=v1.2"
}
"""
    lock = 'provider "registry.opentofu.org/hashicorp/azurerm" {\n  version = "2.0.1"\n}\n'

    assert rows(main__tf=text, __terraform__lock__hcl=lock) == [
        ("hashicorp/azurerm", "=2.0", "2.0.1", "runtime"),
        ("git::https://example.org/net.git?ref=v1.2", "v1.2", "", "runtime"),
        ("hashicorp/azurerm", "", "2.0.1", "runtime"),
    ]


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("setup.py", 'setup(install_requires=read("requirements.txt").splitlines(), long_description=read("README.md"))\n', []),
        ("setup.py", 'needed = ["flask"]\nsetup(install_requires=needed)\n', ["flask"]),
        ("Dockerfile", "FROM a:1\nRUN grep x <<<hello && echo $((1<<N)) 'see <<EOF'\nFROM c:2\n", ["a", "c"]),
        ("Dockerfile", "FROM a:1\nRUN <<EOF\nFROM b:2\nEOF\nFROM c:2\n", ["a", "c"]),
        ("pyproject.toml", '[project]\ndependencies = ["torch@ https://host/torch-2.0-cp310.whl", "pip@https://host/1.3.1.zip"]\n', ["torch", "pip"]),
        ("CMakeLists.txt", 'CPMAddPackage(URI "gh:a/b@1.2" OPTIONS "X ON")\n', ["a/b"]),
    ],
)  # fmt: skip
def test_what_looks_like_a_dependency_and_is_none(path: str, text: str, names: list[str]) -> None:
    assert [row[0] for row in read(path, text)] == names


def test_a_tag_that_is_called_as_another_package_is_a_tag() -> None:
    text = '{"dependencies": {"next": "^13.0"}, "overrides": {"react": "next", "other": "$next"}}'

    assert {(name, said) for name, said, scope, _ in read("package.json", text) if scope == "constraint"} == {
        ("react", "next"),
        ("other", "^13.0"),
    }
