# ruff: noqa: E501  # manifests are quoted as they are written
"""How manifests and lock files of one repository fit together: scopes, versions, shared constraints."""

from processor.manifests.registry import is_lock, read_manifest
from processor.stages.list_dependencies import Read, list_dependencies

Row = tuple[str, str, str, str, str]


def rows(files: dict[str, str]) -> list[Row]:
    """Path, name, constraint, version, scope of each."""
    read = [Read(path, read_manifest(path, text), is_lock(path)) for path, text in files.items()]
    return [(row.path, row.name, row.constraint, row.version, row.scope) for row in list_dependencies(read)]


def test_a_lock_file_gives_its_versions_to_the_manifests_and_takes_their_scopes() -> None:
    found = rows(
        {
            "package.json": '{"dependencies": {"ms": "^2"}}',
            "app/package.json": '{"devDependencies": {"chalk": "5"}}',
            "yarn.lock": 'ms@^2:\n  version "2.1.3"\nchalk@5:\n  version "5.3.0"\nansi@1:\n  version "1.0.0"\n',
        }
    )

    assert found == [
        ("package.json", "ms", "^2", "2.1.3", "runtime"),
        ("app/package.json", "chalk", "5", "5.3.0", "dev"),
        ("yarn.lock", "ms", "", "2.1.3", "runtime"),
        ("yarn.lock", "chalk", "", "5.3.0", "dev"),
        ("yarn.lock", "ansi", "", "1.0.0", "transitive"),
    ]


def test_the_nearest_lock_file_counts_and_two_versions_give_none() -> None:
    lock = '[[package]]\nname = "{0}"\nversion = "{1}"\n'
    found = rows(
        {
            "pyproject.toml": '[project]\ndependencies = ["Typing_Extensions", "twice"]\n',
            "sub/pyproject.toml": '[project]\ndependencies = ["typing.extensions"]\n',
            "poetry.lock": lock.format("typing-extensions", "4.1")
            + lock.format("twice", "1")
            + lock.format("twice", "2"),
            "sub/poetry.lock": lock.format("typing-extensions", "4.9"),
        }
    )

    assert found[:3] == [
        ("pyproject.toml", "Typing_Extensions", "", "4.1", "runtime"),
        ("pyproject.toml", "twice", "", "", "runtime"),
        ("sub/pyproject.toml", "typing.extensions", "", "4.9", "runtime"),
    ]


def test_constraints_come_from_the_workspace_the_catalog_and_central_lists() -> None:
    found = rows(
        {
            "Cargo.toml": '[workspace.dependencies]\nserde = "1.0"\n',
            "a/Cargo.toml": "[dependencies]\nserde.workspace = true\n",
            "gradle/libs.versions.toml": '[libraries]\nok-http = { module = "com.x:okhttp", version = "4" }\n[plugins]\nksp = "com.k:2"\n',
            "app/build.gradle": "plugins {\n alias(libs.plugins.ksp)\n}\ndependencies {\n implementation libs.ok.http\n}\n",
            "Directory.Packages.props": '<P><PackageVersion Include="Serilog" Version="3"/></P>',
            "src/A.csproj": '<P><PackageReference Include="serilog"/></P>',
            "pnpm-workspace.yaml": "catalog:\n  zod: ^3\n",
            "b/package.json": '{"dependencies": {"zod": "catalog:"}}',
            "pom.xml": "<project><properties><v>7</v></properties><dependencyManagement><dependencies><dependency>"
            "<groupId>g</groupId><artifactId>m</artifactId><version>9</version></dependency></dependencies>"
            "</dependencyManagement></project>",
            "m/pom.xml": "<project><dependencies><dependency><groupId>g</groupId><artifactId>m</artifactId></dependency>"
            "<dependency><groupId>g</groupId><artifactId>n</artifactId><version>${v}</version></dependency>"
            "</dependencies></project>",
        }
    )

    assert [row for row in found if row[4] != "managed"] == [
        ("a/Cargo.toml", "serde", "1.0", "", "runtime"),
        ("app/build.gradle", "com.k", "2", "", "build"),
        ("app/build.gradle", "com.x:okhttp", "4", "", "runtime"),
        ("src/A.csproj", "serilog", "3", "", "runtime"),
        ("b/package.json", "zod", "^3", "", "runtime"),
        ("m/pom.xml", "g:m", "9", "", "runtime"),
        ("m/pom.xml", "g:n", "7", "", "runtime"),
    ]


def test_a_bundle_of_a_version_catalog_is_its_libraries_each_with_the_scope_of_its_use() -> None:
    found = rows(
        {
            "gradle/libs.versions.toml": '[libraries]\nok-http = { module = "com.x:okhttp", version = "4" }\n'
            'retro_fit = "com.x:retrofit:2"\n[plugins]\nnet = "com.k:1"\n'
            '[bundles]\nnet-work = ["ok-http", "retro-fit", "unknown", 7]\nempty = []\n',
            "app/build.gradle.kts": "dependencies {\n implementation(libs.bundles.net.work)\n"
            " testImplementation(libs.bundles.net.work)\n implementation(libs.bundles.empty)\n}\n",
        }
    )

    assert [row for row in found if row[4] != "managed"] == [
        ("app/build.gradle.kts", "com.x:okhttp", "4", "", "runtime"),
        ("app/build.gradle.kts", "com.x:retrofit", "2", "", "runtime"),
        ("app/build.gradle.kts", "com.x:okhttp", "4", "", "test"),
        ("app/build.gradle.kts", "com.x:retrofit", "2", "", "test"),
        ("app/build.gradle.kts", "libs.bundles.empty", "", "", "runtime"),
    ]


def test_requirements_have_the_scope_of_their_file_their_folder_or_of_who_includes_them() -> None:
    found = rows(
        {
            "requirements.txt": "-c pins.in/../requirements/limits.txt\na\n",
            "requirements/base.txt": "b\n",
            "requirements/dev.txt": "c\n",
            "requirements/limits.txt": "d==1\n",
            "requirements-test.txt": "e\n",
            "docs/requirements.txt": "f\n",
            "tests/requirements/postgres.txt": "g\n",
            "constraints.txt": "h<2\n",
        }
    )

    assert [(row[1], row[4]) for row in found] == [
        ("a", "runtime"),
        ("b", "runtime"),
        ("c", "dev"),
        ("d", "constraint"),
        ("e", "test"),
        ("f", "dev"),
        ("g", "test"),
        ("h", "constraint"),
    ]


def test_what_no_manifest_asks_for_is_transitive() -> None:
    assert rows({"composer.lock": '{"packages": [{"name": "a/b", "version": "1"}]}'}) == [
        ("composer.lock", "a/b", "", "1", "transitive")
    ]


def test_what_examples_documents_benchmarks_and_tests_need_is_not_needed_to_run() -> None:
    package = '{{"dependencies": {{"{0}": "1"}}}}'
    found = rows(
        {
            "bench/package.json": package.format("a"),
            "docs/package.json": package.format("b"),
            "Examples/app/package.json": package.format("c"),
            "examples/app/package.json": package.format("react"),
            "packages/__tests__/package.json": package.format("d"),
            "packages/example-parser/package.json": package.format("e"),
            "packages/ui/package.json": package.format("react"),
            "yarn.lock": 'react@1:\n  version "1.2"\nb@1:\n  version "1.3"\n',
        }
    )

    assert [(path, name, scope) for path, name, _, _, scope in found] == [
        ("bench/package.json", "a", "dev"),
        ("docs/package.json", "b", "dev"),
        ("Examples/app/package.json", "c", "dev"),
        ("examples/app/package.json", "react", "dev"),
        ("packages/__tests__/package.json", "d", "test"),
        ("packages/example-parser/package.json", "e", "runtime"),
        ("packages/ui/package.json", "react", "runtime"),
        ("yarn.lock", "react", "runtime"),  # some need it to run
        ("yarn.lock", "b", "dev"),
    ]


def test_a_repository_of_nothing_but_examples_needs_them_to_run() -> None:
    example = '{"dependencies": {"a": "1"}}'
    found = rows({"examples/one/package.json": example, "samples/package.json": example})

    assert [scope for *_, scope in found] == ["runtime", "runtime"]
    assert [scope for *_, scope in rows({"docs/package.json": example, "tests/package.json": example})] == [
        "dev",
        "test",
    ]


def test_a_named_catalog_of_pnpm_gives_its_own_constraint() -> None:
    found = rows(
        {
            "pnpm-workspace.yaml": "catalog:\n  react: ^18\ncatalogs:\n  next:\n    react: ^19\n  old:\n    vue: ^2\n",
            "a/package.json": '{"dependencies": {"react": "catalog:"}}',
            "b/package.json": '{"dependencies": {"react": "catalog:next"}}',
            "c/package.json": '{"dependencies": {"react": "catalog:default", "vue": "catalog:next"}}',
        }
    )

    assert [row[:3] for row in found if row[4] != "managed"] == [
        ("a/package.json", "react", "^18"),
        ("b/package.json", "react", "^19"),
        ("c/package.json", "react", "^18"),
        ("c/package.json", "vue", "catalog:next"),  # in which it is not
    ]


def test_versions_that_gradle_has_in_variables_are_put_in() -> None:
    found = rows(
        {
            "gradle.properties": "# versions\nkotlin.code.style=official\nokio = 3.9\n!no=1\n",
            "gradle/versions.gradle": "ext {\n  guava = '33.0'\n}\next.gson = '2.10'\n",
            "build.gradle": "def slf = '2.0'\nversion = '1.1'\nallprojects { ext['moshi'] = '1.15' }\n",
            "app/build.gradle.kts": 'val ktor by extra("3.0")\nval logs = "1.5"\nextra["dagger"] = "2.5"\n'
            'dependencies {\n api("a:okio:$okio")\n api("a:guava:${guava}")\n api("a:gson:${rootProject.ext.gson}")\n'
            ' api("a:slf:$slf")\n api("a:me:${project.version}")\n api("a:moshi:$moshi")\n api("a:ktor:$ktor")\n'
            ' api("a:logs:${logs}-jre")\n api("a:dagger:$dagger")\n compileOnlyApi("a:unknown:$nowhere")\n}\n',
        }
    )

    assert [(row[1], row[2], row[4]) for row in found] == [
        ("a:okio", "3.9", "runtime"),
        ("a:guava", "33.0", "runtime"),
        ("a:gson", "2.10", "runtime"),
        ("a:slf", "2.0", "runtime"),
        ("a:me", "1.1", "runtime"),
        ("a:moshi", "1.15", "runtime"),
        ("a:ktor", "3.0", "runtime"),
        ("a:logs", "1.5-jre", "runtime"),
        ("a:dagger", "2.5", "runtime"),
        ("a:unknown", "$nowhere", "build"),
    ]


def test_a_parent_pom_gives_its_scopes_to_those_that_say_none() -> None:
    def dependency(name: str, more: str = "") -> str:
        return f"<dependency><groupId>g</groupId><artifactId>{name}</artifactId>{more}</dependency>"

    managed = dependency("junit", "<version>4</version><scope>test</scope>")
    managed += dependency("servlet", "<version>6</version><scope>provided</scope>")
    used = dependency("junit") + dependency("servlet")
    found = rows(
        {
            "pom.xml": f"<project><dependencyManagement><dependencies>{managed}</dependencies>"
            "</dependencyManagement></project>",
            "m/pom.xml": f"<project><dependencies>{used}</dependencies></project>",
        }
    )

    assert [(row[1], row[2], row[4]) for row in found if row[4] != "managed"] == [
        ("g:junit", "4", "test"),
        ("g:servlet", "6", "build"),
    ]
