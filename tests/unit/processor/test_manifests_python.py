# ruff: noqa: E501  # manifests are quoted as they are written
"""What Python's manifests and lock files say, with the line they say it on."""

from processor.manifests.model import EntryPoint
from processor.manifests.registry import read_manifest
from tests.support.manifests import needs, read

PYPROJECT = """\
[build-system]
requires = ["hatchling>=1"]
[project]
name = "tool"
description = "Does   things."
license = "MIT"
dependencies = [
  "httpx[http2]>=0.27,<1",
  "rich",  # httpx is above
  "local @ https://example.org/local.zip",
]
[project.optional-dependencies]
docs = ["sphinx>=7"]
[project.scripts]
tool = "tool.cli:main"
[project.entry-points."pytest11"]
tool = "tool.plugin"
[dependency-groups]
test = ["pytest>=8", {include-group = "docs"}]
lint = ['ruff']
[tool.uv]
dev-dependencies = ["ipython"]
constraint-dependencies = ["rich<14"]
[tool.pdm.dev-dependencies]
release = ["twine; python_version > '3.8'"]
"""


def test_pyproject_with_extras_groups_tools_and_scripts() -> None:
    manifest = read_manifest("pyproject.toml", PYPROJECT)

    assert (manifest.name, manifest.description, manifest.licence) == ("tool", "Does things.", "MIT")
    assert needs(manifest) == [
        ("hatchling", ">=1", "build", 2),
        ("httpx", "<1,>=0.27", "runtime", 8),
        ("rich", "", "runtime", 9),
        ("local", "https://example.org/local.zip", "runtime", 10),
        ("sphinx", ">=7", "optional:docs", 13),
        ("pytest", ">=8", "test:test", 19),
        ("ruff", "", "dev:lint", 20),
        ("twine", "", "dev:release", 25),
        ("ipython", "", "dev:dev", 22),
        ("rich", "<14", "constraint", 23),
    ]
    assert manifest.entry_points == (
        EntryPoint("tool", "tool.cli:main"),
        EntryPoint("tool", "tool.plugin", "pytest11"),
    )


def test_pyproject_with_poetry() -> None:
    manifest = read_manifest(
        "pyproject.toml",
        """\
[tool.poetry]
name = "old"
license = "BSD"
[tool.poetry.dependencies]
python = "^3.11"
flask = "^3.0"
redis = {version = ">=5", optional = true}
mine = {git = "https://example.org/mine.git"}
baz = [{version = "^1", python = "<3.9"}, {version = "^2", python = ">=3.9", optional = true}]
[tool.poetry.dependencies.split]
version = "1.0"
[tool.poetry.group.test.dependencies]
pytest = "*"
[tool.poetry.scripts]
old = "old:main"
""",
    )

    assert needs(manifest) == [
        ("flask", "^3.0", "runtime", 6),
        ("redis", ">=5", "optional", 7),
        ("mine", "https://example.org/mine.git", "runtime", 8),
        ("baz", "^1", "runtime", 9),
        ("baz", "^2", "optional", 9),
        ("split", "1.0", "runtime", 10),
        ("pytest", "*", "test:test", 13),
    ]
    assert (manifest.name, manifest.licence, manifest.entry_points) == ("old", "BSD", (EntryPoint("old", "old:main"),))


def test_requirements_with_hashes_markers_includes_and_addresses() -> None:
    manifest = read_manifest(
        "requirements-dev.txt",
        "# pinned\n-r base.txt\n-c ../constraints.txt\nflask==3.0.0 \\\n    --hash=sha256:00\nclick >=8 ; python_version>'3'\n"
        "git+https://example.org/group/lib.git@v2#egg=named\n-e ./local\n\nuvicorn[standard]  # serves\n--find-links https://example.org\n",
    )

    assert needs(manifest) == [
        ("flask", "==3.0.0", "runtime", 4),
        ("click", ">=8", "runtime", 6),
        ("named", "git+https://example.org/group/lib.git@v2#egg=named", "runtime", 7),
        ("local", "./local", "runtime", 8),
        ("uvicorn", "", "runtime", 10),
    ]
    assert manifest.includes == (("base.txt", ""), ("../constraints.txt", "constraint"))


def test_setup_cfg() -> None:
    manifest = read_manifest(
        "setup.cfg",
        "[metadata]\nname = lib\ndescription = Says hello\n[options]\ninstall_requires =\n    attrs>=20\n    six; python_version < '3'\n"
        "[options.extras_require]\ntest = pytest\n[options.entry_points]\nconsole_scripts =\n    lib = lib.cli:main\n",
    )

    assert needs(manifest) == [
        ("attrs", ">=20", "runtime", 6),
        ("six", "", "runtime", 7),
        ("pytest", "", "optional:test", 9),
    ]
    assert manifest.entry_points == (EntryPoint("lib", "lib.cli:main"),)


def test_requirements_that_setup_cfg_reads_from_files_are_includes() -> None:
    manifest = read_manifest(
        "setup.cfg",
        "[options]\ninstall_requires = file: requirements.txt, more.txt\n"
        "[options.extras_require]\ntest = file:\n    requirements-test.txt\n",
    )

    assert needs(manifest) == []
    assert manifest.includes == (("requirements.txt", ""), ("more.txt", ""), ("requirements-test.txt", "optional"))


def test_setup_py_is_read_and_never_run() -> None:
    manifest = read_manifest(
        "setup.py",
        """\
import os; os._exit(3)
from setuptools import setup
setup(
    name="legacy",
    description='Old but good',
    install_requires=[
        "requests>=2",  # "commented>=1"
        'idna',
    ],
    extras_require={
        "socks": ["PySocks>=1.5"],
    },
)
""",
    )

    assert (manifest.name, manifest.description) == ("legacy", "Old but good")
    assert needs(manifest) == [
        ("requests", ">=2", "runtime", 7),
        ("idna", "", "runtime", 8),
        ("PySocks", ">=1.5", "optional:socks", 11),
    ]


def test_pipfile_and_its_lock() -> None:
    assert read("Pipfile", '[packages]\nflask = "*"\n[dev-packages]\nblack = {version = "==24.1"}\n') == [
        ("flask", "*", "runtime", 2),
        ("black", "==24.1", "dev", 4),
    ]
    assert read(
        "Pipfile.lock",
        '{"_meta": {},\n"default": {\n"flask": {"version": "==3.0.3"}},\n"develop": {"black": {"version": "==24.1"}}}',
    ) == [("flask", "3.0.3", "", 3), ("black", "24.1", ":dev", 4)]


def test_lock_files_of_poetry_pdm_and_the_standard() -> None:
    poetry = '[[package]]\nname = "flask"\nversion = "3.0.3"\ngroups = ["main"]\n\n[[package]]\nname = "pytest"\nversion = "8.1"\ngroups = ["test", "dev"]\n'

    assert read("poetry.lock", poetry) == [("flask", "3.0.3", "", 2), ("pytest", "8.1", ":test+dev", 7)]
    assert read("pdm.lock", poetry.replace("main", "default"))[0] == ("flask", "3.0.3", "", 2)
    assert read("pylock.toml", '[[packages]]\nname = "attrs"\nversion = "25.1"\n') == [("attrs", "25.1", "", 2)]


def test_uv_lock_tells_what_is_transitive() -> None:
    lock = """\
version = 1
[[package]]
name = "mine"
version = "0.1"
source = { editable = "." }
dependencies = [{ name = "flask" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "flask"
version = "3.0.3"
source = { registry = "https://example.org" }
dependencies = [{ name = "click" }]

[[package]]
name = "pytest"
version = "8.1"
source = { registry = "https://example.org" }

[[package]]
name = "click"
version = "8.0"
source = { registry = "https://example.org" }
"""
    assert read("uv.lock", lock) == [
        ("flask", "3.0.3", "", 11),
        ("pytest", "8.1", "", 17),
        ("click", "8.0", "transitive", 22),
    ]
