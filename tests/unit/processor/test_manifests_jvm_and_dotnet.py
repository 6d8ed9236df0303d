# ruff: noqa: E501  # manifests are quoted as they are written
"""What the manifests of Maven, Gradle and .NET say, with the line they say it on."""

import pytest

from processor.manifests.model import EntryPoint
from processor.manifests.registry import NotRead, read_manifest
from tests.support.manifests import needs, read

POM = """\
<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.x</groupId><artifactId>parent</artifactId><version>1.0</version></parent>
  <artifactId>app</artifactId>
  <description>An app</description>
  <licenses><license><name>Apache-2.0</name></license></licenses>
  <properties><guava.major>33</guava.major><guava.version>${guava.major}.0</guava.version></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.13</version><scope>test</scope></dependency>
    <dependency><groupId>org.b</groupId><artifactId>bom</artifactId><version>2</version><type>pom</type><scope>import</scope></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>com.google.guava</groupId>
      <artifactId>guava</artifactId>
      <version>${guava.version}</version>
    </dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId></dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>core</artifactId><version>${project.version}</version><optional>true</optional></dependency>
    <dependency><groupId>jakarta</groupId><artifactId>servlet</artifactId><version>6</version><scope>provided</scope></dependency>
  </dependencies>
  <build><plugins><plugin><artifactId>maven-jar-plugin</artifactId><version>3.4</version></plugin></plugins></build>
</project>
"""


def test_pom_with_properties_management_and_plugins() -> None:
    manifest = read_manifest("pom.xml", POM)

    assert (manifest.name, manifest.description, manifest.licence) == ("org.x:app", "An app", "Apache-2.0")
    assert needs(manifest) == [
        ("com.google.guava:guava", "33.0", "runtime", 15),
        ("junit:junit", "4.13", "test", 18),
        ("org.x:core", "1.0", "optional", 19),
        ("jakarta:servlet", "6", "build:provided", 20),
        ("junit:junit", "4.13", "managed:test", 9),
        ("org.b:bom", "2", "managed:bom", 10),
        ("org.x:parent", "1.0", "build:parent", 3),
        ("org.apache.maven.plugins:maven-jar-plugin", "3.4", "build:plugin", 22),
    ]


@pytest.mark.parametrize(
    "evil",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><project>&b;</project>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><project/>',
        "<project>&unknown;</project>",
        "<project>" * 3,
        "<a>" * 10_000 + "</a>" * 10_000,
        "",
    ],
)
def test_xml_with_a_document_type_too_deep_or_none_at_all_is_refused(evil: str) -> None:
    with pytest.raises(NotRead):
        read_manifest("pom.xml", evil)


def test_gradle_in_groovy() -> None:
    script = """\
plugins {
    id 'java'
    id 'com.diffplug.spotless' version '6.25.0'
}
/* implementation 'not:this:1' */
dependencies {
    implementation 'com.google.guava:guava:33.0' // implementation 'nor:this:1'
    api group: 'org.slf4j', name: 'slf4j-api', version: '2.0'
    testImplementation("junit:junit:4.13") {
        exclude group: 'org.hamcrest'
    }
    implementation platform('org.x:bom:1')
    annotationProcessor 'org.projectlombok:lombok'
    implementation project(':core')
    implementation libs.okhttp.core
}
"""
    assert read("build.gradle", script) == [
        ("java", "", "build:plugin", 2),
        ("com.diffplug.spotless", "6.25.0", "build:plugin", 3),
        ("com.google.guava:guava", "33.0", "runtime", 7),
        ("org.slf4j:slf4j-api", "2.0", "runtime:api", 8),
        ("junit:junit", "4.13", "test:testImplementation", 9),
        ("org.x:bom", "1", "managed:platform", 12),
        ("org.projectlombok:lombok", "", "build:annotationProcessor", 13),
        ("libs.okhttp.core", "", "runtime", 15),
    ]


def test_gradle_in_kotlin() -> None:
    script = """\
plugins {
  kotlin("jvm") version "2.0.0"
  alias(libs.plugins.ksp)
}
kotlin {
  sourceSets {
    val commonMain by getting {
      dependencies {
        api(libs.okio)
        implementation(kotlin("reflect"))
        implementation(projects.core)
      }
    }
  }
}
dependencies {
  ksp("com.x:processor:1.0")
}
"""
    assert read("app/build.gradle.kts", script) == [
        ("org.jetbrains.kotlin.jvm", "2.0.0", "build:plugin", 2),
        ("libs.plugins.ksp", "", "build:plugin", 3),
        ("libs.okio", "", "runtime:api", 9),
        ("org.jetbrains.kotlin:kotlin-reflect", "", "runtime", 10),
        ("com.x:processor", "1.0", "build:ksp", 17),
    ]


def test_version_catalog_and_lock_file_of_gradle() -> None:
    catalog = (
        '[versions]\nok = "4.12"\nrich = { strictly = "[1,2)" }\n[libraries]\n'
        'okhttp = { module = "com.squareup:okhttp", version.ref = "ok" }\ngson = "com.google.code.gson:gson:2.10"\n'
        'odd = { group = "a", name = "b", version.ref = "rich" }\n[plugins]\nksp = { id = "com.google.devtools.ksp", version = "2" }\n'
    )
    manifest = read_manifest("gradle/libs.versions.toml", catalog)

    assert needs(manifest) == [
        ("com.squareup:okhttp", "4.12", "managed", 5),
        ("com.google.code.gson:gson", "2.10", "managed", 6),
        ("a:b", "[1,2)", "managed", 7),
        ("com.google.devtools.ksp", "2", "managed:plugin", 9),
    ]
    assert [alias for alias, _ in manifest.aliases] == ["okhttp", "gson", "odd", "plugins.ksp"]
    assert read("gradle.lockfile", "# made\na:b:1=compileClasspath\njunit:junit:4=testCompileClasspath\nempty=x\n") == [
        ("a:b", "1", "", 2),
        ("junit:junit", "4", "test", 3),
    ]


def test_dotnet_projects() -> None:
    manifest = read_manifest(
        "src/App.csproj",
        '<Project Sdk="Microsoft.NET.Sdk">\n<PropertyGroup><OutputType>Exe</OutputType><SerilogVersion>3.1</SerilogVersion></PropertyGroup>\n<ItemGroup>\n'
        '<PackageReference Include="Serilog" Version="$(SerilogVersion)" />\n'
        '<PackageReference Include="Analyzers" PrivateAssets="all"><Version>2.6</Version></PackageReference>\n</ItemGroup>\n</Project>\n',
    )

    assert needs(manifest) == [("Serilog", "$(SerilogVersion)", "runtime", 4), ("Analyzers", "2.6", "build", 5)]
    assert manifest.entry_points == (EntryPoint("App", "Exe"),)
    assert ("SerilogVersion", "3.1") in manifest.variables
    assert read(
        "test/T.csproj", '<Project>\n<PackageReference Include="xunit"/>\n<PackageReference Include="Moq"/></Project>'
    ) == [
        ("xunit", "", "test", 2),
        ("Moq", "", "test", 3),
    ]


def test_central_versions_old_lists_lock_files_and_tools_of_dotnet() -> None:
    assert read("Directory.Packages.props", '<Project>\n<PackageVersion Include="A" Version="1"/></Project>') == [
        ("A", "1", "managed", 2)
    ]
    assert read(
        "packages.config", '<packages>\n<package id="A" version="1" developmentDependency="true"/></packages>'
    ) == [("A", "1", "dev", 2)]
    assert read(
        "packages.lock.json",
        '{"version": 1, "dependencies": {"net8.0": {\n"A": {"type": "Direct", "resolved": "1.2"},\n"B": {"type": "Transitive", "resolved": "2.0"},\n"P": {"type": "Project"}}}}',
    ) == [("A", "1.2", ":net8.0", 2), ("B", "2.0", "transitive:net8.0", 3)]
    assert read(".config/dotnet-tools.json", '{"tools": {\n"fake": {"version": "6.0"}}}') == [("fake", "6.0", "dev", 2)]


def test_gradle_that_adds_to_a_configuration_by_its_name() -> None:
    script = (
        'dependencies {\n  add("compileOnly", kotlin("gradle-plugin"))\n  add("testImplementation", "a.b:c:1")\n}\n'
    )

    assert read("build.gradle.kts", script) == [
        ("org.jetbrains.kotlin:kotlin-gradle-plugin", "", "build:compileOnly", 2),
        ("a.b:c", "1", "test:testImplementation", 3),
    ]


@pytest.mark.parametrize(
    ("path", "said", "name"),
    [
        ("src/Serilog.Core/Serilog.Core.csproj", "", "Serilog.Core"),
        ("src/a.csproj", "<PackageId>B</PackageId>", "B"),
        ("Directory.Build.props", "", ""),
    ],
)
def test_a_dotnet_project_is_called_like_its_file_unless_it_says_otherwise(path: str, said: str, name: str) -> None:
    assert read_manifest(path, f"<Project><PropertyGroup>{said}</PropertyGroup></Project>").name == name
