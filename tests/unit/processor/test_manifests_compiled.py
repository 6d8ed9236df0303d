# ruff: noqa: E501  # manifests are quoted as they are written
"""What the manifests of Go, Rust, C and C++ say, with the line they say it on."""

from processor.manifests.model import EntryPoint
from processor.manifests.registry import read_manifest
from tests.support.manifests import needs, read


def test_go_mod_with_indirect_replaced_and_tools() -> None:
    manifest = read_manifest(
        "go.mod",
        "module github.com/a/b // comment\n\ngo 1.24\n\nrequire (\n\tgithub.com/x/y v1.2.3\n\tgolang.org/x/z v0.1.0 // indirect\n)\n"
        "require gopkg.in/yaml.v3 v3.0.1\nreplace github.com/x/y v1.2.3 => ../y\ntool golang.org/x/tools/cmd/stringer\n"
        "exclude github.com/bad/one v1.0.0\nretract v1.0.0\n",
    )

    assert manifest.name == "github.com/a/b"
    assert needs(manifest) == [
        ("github.com/x/y", "v1.2.3 => ../y", "runtime", 6),
        ("golang.org/x/z", "v0.1.0", "transitive", 7),
        ("gopkg.in/yaml.v3", "v3.0.1", "runtime", 9),
    ]
    assert manifest.entry_points == (EntryPoint("stringer", "golang.org/x/tools/cmd/stringer", "tool"),)
    assert read(
        "go.mod", "require ( // direct\n\t//x.org/gone v1.0.0\n\t// vendored since\n\tx.org/y v1.1.0 // why\n) // end\n"
    ) == [("x.org/y", "v1.1.0", "runtime", 4)]
    assert read("go.work", "go 1.24\nuse (\n\t./a\n)\nreplace x.org/y => ./y\n") == []


def test_cargo_toml_with_targets_features_and_workspace() -> None:
    manifest = read_manifest(
        "Cargo.toml",
        '[package]\nname = "rg"\nlicense = "MIT OR Unlicense"\n[dependencies]\nserde = { version = "1", optional = true }\n'
        'memchr = "2"\nshared.workspace = true\nother = { package = "real-name", git = "https://example.org/r" }\n'
        '[dependencies.split]\nversion = "3"\n[dev-dependencies]\nquick = "1"\n[target."cfg(unix)".dependencies]\nlibc = "0.2"\n'
        '[build-dependencies]\ncc = "1"\n[workspace.dependencies]\nshared = "9"\n[[bin]]\nname = "rg"\npath = "src/main.rs"\n',
    )

    assert needs(manifest) == [
        ("serde", "1", "optional", 5),
        ("memchr", "2", "runtime", 6),
        ("shared", "workspace", "runtime", 7),
        ("real-name", "https://example.org/r", "runtime", 8),
        ("split", "3", "runtime", 9),
        ("quick", "1", "dev", 12),
        ("cc", "1", "build", 16),
        ("libc", "0.2", "runtime:cfg(unix)", 14),
        ("shared", "9", "managed", 18),
    ]
    assert manifest.entry_points == (EntryPoint("rg", "src/main.rs"),)


def test_cargo_lock_tells_direct_from_transitive() -> None:
    lock = """\
version = 4
[[package]]
name = "mine"
version = "0.1.0"
dependencies = ["serde", "libc 0.2.1"]
[[package]]
name = "serde"
version = "1.0.1"
source = "registry+https://example.org"
dependencies = ["serde_core"]
[[package]]
name = "serde_core"
version = "1.0.2"
source = "registry+https://example.org"
"""
    assert read("Cargo.lock", lock) == [("serde", "1.0.1", "", 7), ("serde_core", "1.0.2", "transitive", 12)]


def test_cmake_with_packages_looked_for_and_fetched() -> None:
    manifest = read_manifest(
        "CMakeLists.txt",
        """\
project(demo VERSION 1.0 LANGUAGES CXX)
#[[ find_package(NotThis)
]]
find_package(Boost 1.80 REQUIRED COMPONENTS system)  # find_package(NorThis)
find_package(Doxygen)
find_package(${DYNAMIC})
FetchContent_Declare(
  googletest
  GIT_REPOSITORY https://github.com/google/googletest.git
  GIT_TAG        v1.14.0
)
CPMAddPackage("gh:fmtlib/fmt#10.2.1")
pkg_check_modules(GTK REQUIRED gtk4>=4.10)
add_executable(tool main.cc)
""",
    )

    assert needs(manifest) == [
        ("Boost", "1.80", "runtime", 4),
        ("Doxygen", "", "optional", 5),
        ("googletest", "v1.14.0", "runtime:https://github.com/google/googletest.git", 7),
        ("fmtlib/fmt", "10.2.1", "runtime", 12),
        ("gtk4", ">=4.10", "runtime:pkg-config", 13),
    ]
    assert (manifest.name, manifest.entry_points) == ("demo", (EntryPoint("tool", ""),))


def test_vcpkg_and_conan() -> None:
    vcpkg = '{"name": "x", "dependencies": ["fmt",\n{"name": "zlib", "version>=": "1.3"}, {"name": "tool", "host": true}],\n"features": {"ssl": {"dependencies": ["openssl"]}}, "overrides": [{"name": "fmt", "version": "10"}]}'
    program = """\
from conan import ConanFile
class Pkg(ConanFile):
    name = "pkg"
    license = "MIT"
    requires = "zlib/1.3.1", "bzip2/1.0.8"
    tool_requires = ["cmake/3.27"]
    def requirements(self):
        self.requires("fmt/10.2.1@user/ch", transitive_headers=True)
        # self.requires("not/1.0")
        self.test_requires("gtest/1.14.0")
        self.requires("boost/[>=1.80 <2]@user/ch")
"""
    manifest = read_manifest("conanfile.py", program)

    assert read("vcpkg.json", vcpkg) == [
        ("fmt", "", "runtime", 1),
        ("zlib", ">=1.3", "runtime", 2),
        ("tool", "", "build", 2),
        ("openssl", "", "optional:ssl", 3),
        ("fmt", "10", "constraint", 3),
    ]
    assert read(
        "conanfile.txt",
        "[requires]\nfmt/10.2.1@user/ch # why\n[tool_requires]\ncmake/3.27\ngtest/[>=1.14 <2, include_prerelease]\n[options]\na=b\n",
    ) == [
        ("fmt", "10.2.1", "runtime", 2),
        ("cmake", "3.27", "build", 4),
        ("gtest", "[>=1.14 <2, include_prerelease]", "build", 5),
    ]
    assert (manifest.name, manifest.licence) == ("pkg", "MIT")
    assert sorted(needs(manifest), key=lambda one: one[3]) == [
        ("zlib", "1.3.1", "runtime", 5),
        ("bzip2", "1.0.8", "runtime", 5),
        ("cmake", "3.27", "build", 6),
        ("fmt", "10.2.1", "runtime", 8),
        ("gtest", "1.14.0", "test", 10),
        ("boost", "[>=1.80 <2]", "runtime", 11),
    ]
    assert read(
        "conan.lock", '{"version": "0.5", "requires": [\n"zlib/1.3.1#rev%1"], "build_requires": ["cmake/3.27#r"]}'
    ) == [
        ("zlib", "1.3.1", "", 2),
        ("cmake", "3.27", ":build", 2),
    ]


def test_meson_and_its_wraps() -> None:
    meson = """\
project('app', 'c', license : 'MIT', version : '1.0')
# dependency('not')
glib = dependency('glib-2.0', version : '>=2.50')
dependency('x11', required : false)
dependency('wayland-scanner', native: true)
executable('app', 'main.c', dependencies : [glib, dependency('threads')])
"""
    manifest = read_manifest("meson.build", meson)

    assert (manifest.name, manifest.licence) == ("app", "MIT")
    assert needs(manifest) == [
        ("glib-2.0", ">=2.50", "runtime", 3),
        ("x11", "", "optional", 4),
        ("wayland-scanner", "", "build", 5),
        ("threads", "", "runtime", 6),
    ]
    assert read("meson.build", "dependency('glib', version: ['>=2.50', '<3'], required: true, method: 'auto')") == [
        ("glib", ">=2.50, <3", "runtime", 1)
    ]
    assert read("subprojects/glib.wrap", "[wrap-git]\nurl=https://example.org/glib.git\nrevision=2.80\n") == [
        ("glib", "2.80", "runtime:https://example.org/glib.git", 2)
    ]
