"""An overview is told from facts alone: the same facts, the same words, each with its lines, and nothing as markup."""

import re

from orchestrator.overview.commands import commands_of
from orchestrator.overview.compose import Overview, compose
from orchestrator.overview.facts import Definition, Edge, Facts, Folder, Need
from orchestrator.overview.modules import modules_of
from orchestrator.overview.readme import paragraph_at, sections_at
from orchestrator.overview.wording import cite, cited, told

README = """# Sample

[![x](y)](z)

**Sample** routes requests to [handlers](https://a.test) at once.
And more.

## Install
"""
PYPROJECT = """[build-system]

[project]
name = "sample"
description = "Routes requests."

[project.scripts]
sample = "sample.cli:main"

[tool.pytest.ini_options]
"""
MAKEFILE = ".PHONY: test\n\ntest: install\n\tpytest\n\nVERSION := 1\n"


def facts(**changes: object) -> Facts:
    known: dict[str, object] = {
        "name": "acme/sample",
        "url": "https://github.com/acme/sample",
        "commit": "c0ffee",
        "metadata": {
            "name": "sample",
            "description": "Routes requests.",
            "readme_path": "README.md",
            "readme_summary": "Sample routes requests to handlers at once. And more.",
            "licence": {"spdx": "MIT", "path": "LICENSE"},
            "entry_points": [{"name": "sample", "target": "sample.cli:main", "kind": "", "path": "pyproject.toml"}],
            "ci": [
                {"name": "GitHub Actions", "path": ".github/workflows/test.yml"},
                {"name": "GitHub Actions", "path": ".github/workflows/docs.yml"},
                {"name": "Travis", "path": ".travis.yml"},
            ],
        },
        "structure": {
            "lines": 900,
            "language_sizes": [{"name": "python", "files": 9, "bytes": 1, "lines": 800}],
            "classes": {"code": {"files": 9}},
        },
        "folders": (Folder("src/sample", "python", 4, 400), Folder("src/sample/net", "python", 3, 300)),
        "edges": (
            Edge("src/sample/app.py", "src/sample/net/http.py", to_folder=False, imports=2, calls=3, line=7),
            Edge("tests/test_app.py", "src/sample/app.py", to_folder=False, imports=9, calls=9, line=1),
        ),
        "definitions": (Definition("src/sample/app.py", "class", "App", "Routes.\n\nMore.", 10, 40, used=5),),
        "mains": (Definition("src/sample/cli.py", "function", "main", "", 3, 9),),
        "needs": (
            Need("celery", "", "examples/c/pyproject.toml", 2),
            Need("werkzeug", ">=3", "pyproject.toml", 5),
        ),
        "texts": {"README.md": README, "pyproject.toml": PYPROJECT, "Makefile": MAKEFILE},
    }
    return Facts(**(known | changes))  # type: ignore[arg-type]  # by name


def text_of(overview: Overview) -> dict[str, str]:
    return {section.key: section.text for section in overview.sections}


def test_each_section_says_what_the_facts_say_with_the_lines() -> None:
    said = text_of(compose(facts()))

    assert "**sample** describes itself as: Routes requests. [pyproject.toml:5-5]" in said["what"]
    assert "Its README says [README.md:5-6]:\n\n> Sample routes requests to handlers at once." in said["what"]
    assert "Licence: MIT [LICENSE:1-1]." in said["what"]
    assert "Needs at run time: `werkzeug` [pyproject.toml:5-5]." in said["built"]
    assert (
        "GitHub Actions (`.github/workflows/test.yml`, `.github/workflows/docs.yml`); Travis (`.travis.yml`)."
        in said["built"]
    )
    assert "- **`src/sample`**: 4 files of code, 400 lines of Python" in said["modules"]
    assert "class `App` “Routes.” [src/sample/app.py:10-40]" in said["modules"]
    assert (
        "`src/sample` → `src/sample/net`: 2 imports and 3 calls, for example [src/sample/app.py:7-7]" in said["modules"]
    )
    assert said["entries"] == (
        "- command `sample` → `sample.cli:main` [pyproject.toml:8-8], defined at [src/sample/cli.py:3-9]"
    )
    assert "To test it: `make test` [Makefile:3-3], `pytest` [pyproject.toml:10-10]." in said["commands"]
    assert "under “Install” [README.md:8-8]" in said["commands"]


def test_languages_and_kinds_of_files_are_called_as_people_call_them() -> None:
    sizes = [{"name": "cpp", "files": 1_204}, {"name": "objective-c", "files": 1}, {"name": "zig", "files": 2}]
    classes = {"code": {"files": 900}, "test": {"files": 1}, "generated": {"files": 1}, "other": {"files": 305}}
    said = text_of(compose(facts(structure={"lines": 900, "language_sizes": sizes, "classes": classes})))

    assert "Languages, by size: C++ (1,204 files), Objective-C (1 file), Zig (2 files)." in said["built"]
    assert "Read: 900 files of code, 1 file of tests, 1 generated file and 305 other files; 900 lines." in said["built"]


def test_each_paragraph_of_the_readme_is_quoted_by_itself_with_its_lines() -> None:
    text = "# Sample\n\nSample routes requests at once.\n\nIt is used by\nmany projects of this kind.\n"
    summary = "Sample routes requests at once.\n\nIt is used by many projects of this kind."
    metadata = {"name": "sample", "readme_summary": summary, "readme_path": "README.md"}

    assert text_of(compose(facts(metadata=metadata, texts={"README.md": text})))["what"] == (
        "Its README says [README.md:3-3] [README.md:5-6]:\n\n"
        "> Sample routes requests at once.\n>\n> It is used by many projects of this kind."
    )


def test_the_same_facts_give_the_same_words_and_no_facts_give_none() -> None:
    assert compose(facts()) == compose(facts())
    nothing = compose(Facts(name="a/b", url="", commit="c"))
    assert (nothing.sections, nothing.diagram) == ((), "")
    assert nothing.questions == ("What does this project do?",)


def test_the_map_shows_modules_and_what_leads_from_one_to_another() -> None:
    assert compose(facts()).diagram.split("\n") == [
        "flowchart LR",
        '  m0["src/sample"]',
        '  m1["src/sample/net"]',
        '  m0 -->|"2 imports, 3 calls"| m1',
    ]


def test_first_questions_name_what_the_facts_name() -> None:
    assert compose(facts()).questions == (
        "What does this project do?",
        "How does App work, and who uses it?",
        "What happens when sample is started?",
        "How do src/sample and src/sample/net work together?",
        "What is werkzeug used for?",
        "How is it tested?",
    )


def test_a_folder_that_holds_most_of_the_code_is_told_by_its_parts_and_tests_are_no_module() -> None:
    folders = [Folder(f"big/{name}", "go", 2, 100) for name in "abcdefghijklmn"]
    found = modules_of([*folders, Folder("tools", "go", 1, 10), Folder("tests", "go", 9, 9_000)], [], [])

    assert len(found.modules) == 12
    assert found.smaller == 3
    assert found.modules[0].path == "big/a"
    assert "tests" not in {module.path for module in found.modules}


def test_where_all_code_is_in_one_folder_its_most_connected_files_are_the_modules() -> None:
    edges = [Edge("app/a.py", "app/b.py", to_folder=False, imports=1, calls=0, line=1)]
    found = modules_of([Folder("app", "python", 3, 30)], edges, [])

    assert [(module.path, module.is_file) for module in found.modules] == [("app/a.py", True), ("app/b.py", True)]
    assert [(edge.source, edge.target) for edge in found.edges] == [("app/a.py", "app/b.py")]


def test_a_package_that_is_imported_as_a_folder_is_the_module_of_that_folder() -> None:
    edges = [Edge("cmd/x/main.go", "internal/net", to_folder=True, imports=1, calls=0, line=4)]
    folders = [Folder("cmd/x", "go", 1, 100), Folder("internal/net", "go", 2, 90), Folder("internal/log", "go", 1, 80)]
    found = modules_of(folders, edges, [])

    [edge] = found.edges
    assert edge.target == "internal/net"
    assert (edge.path, edge.line) == ("cmd/x/main.go", 4)


def test_nothing_of_a_repository_is_markup_or_a_citation_of_the_overview() -> None:
    hostile = '![x](http://a.test/x) <img src=x> [src/app.py:1-2] `code` **b** \u202e"]; click m0 "javascript:1"'
    overview = compose(
        facts(
            metadata={"name": hostile, "readme_summary": hostile, "readme_path": "README.md"},
            folders=(Folder(hostile, "python", 1, 10), Folder("b", "python", 1, 10)),
            edges=(Edge(f"{hostile}/a.py", "b/b.py", to_folder=False, imports=1, calls=0, line=1),),
            definitions=(),
            mains=(),
            texts={},
        )
    )
    said = "\n".join(section.text for section in overview.sections)
    outside = re.sub(r"`[^`]*`", "", said)

    own = cite(f"{hostile}/a.py", 1, 1)
    assert {place.path for place in cited(outside)} == {"pyproject.toml", f"{hostile}/a.py"}
    assert not re.search(r"[`<*\u202e\"]|]\(", own)
    plain = re.sub(r" \[pyproject\.toml:5-5\]", "", outside.replace(own, ""))
    assert not re.search(r"(?<!\\)[\[<]", plain.replace("LICENSE", ""))
    assert "\u202e" not in said
    assert overview.diagram.count('"') == 6
    assert not re.search(r'm0\["[^"]*[<>`\\]', overview.diagram)


def test_any_path_that_is_cited_can_be_read_back() -> None:
    assert cite("src/a.py", 1, 2) == " [src/a.py:1-2]"
    for path in ("a]b", "a\nb", "a:1", "a`b", " a"):
        assert [c.path for c in cited(cite(path, 1, 2))] == [path]
    assert cite("a" * 1025, 1, 2) == ""
    assert [c.path for c in cited(cite("app/[id]/a:b.ts", 1, 2))] == ["app/[id]/a:b.ts"]
    assert cite("a", 0, 0) == ""
    assert cited(told("[src/a.py:1-2]") + cite("src/a.py", 3, 4))[0].first_line == 3


def test_commands_are_those_that_a_line_shows() -> None:
    package = '{\n  "scripts": {\n    "test": "vitest",\n    "build:all": "tsc",\n    "zap": "x"\n  }\n}'
    texts = {"package.json": package, "Cargo.toml": "# [package]\n[package]\n", "go.mod": "// nothing\n"}
    found = commands_of(texts, [("package.json", "test"), ("package.json", "build:all"), ("package.json", "zap")])

    assert [(one.purpose, one.command, one.path, one.line) for one in found] == [
        ("build", "npm run build:all", "package.json", 4),
        ("build", "cargo build", "Cargo.toml", 2),
        ("test", "npm run test", "package.json", 3),
        ("test", "cargo test", "Cargo.toml", 2),
    ]


def test_what_a_readme_says_is_found_where_it_says_it() -> None:
    rst = "Flask\n=====\n\n.. image:: x\n\nFlask is a lightweight framework.\nIt is.\n\nA Simple Example\n--------\n"

    assert paragraph_at(rst, "Flask is a lightweight framework. It is.") == (6, 7)
    assert paragraph_at(rst, "Something else that is nowhere") is None
    assert sections_at(rst) == [("A Simple Example", 9)]
    assert sections_at("```\n# install\n```\n## Running it\n") == [("Running it", 4)]
