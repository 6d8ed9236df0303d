# ruff: noqa: E501  # texts are quoted as they are written
"""README, licence, metadata, structure, the commit's facts, and making facts small."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.artifacts import SourceRow, TreeRow
from processor.languages.detect import file_class_of, language_of
from processor.stages import recognise_licence as recognising
from processor.stages.choose_files import choose_files
from processor.stages.describe_structure import describe_structure
from processor.stages.fit import MAX_BYTES, fit
from processor.stages.gather_metadata import gather_metadata
from processor.stages.read_commit import read_commit
from processor.stages.read_readme import Readme, read_readme
from processor.stages.recognise_licence import Licence, recognise_licence

MIT = """MIT License

Copyright (c) 2020 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY.
"""
BSD = """Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:
1. Redistributions of source code must retain the above copyright notice,
   this list of conditions and the following disclaimer.
2. Redistributions in binary form must reproduce the above copyright
   notice, this list of conditions and the following disclaimer in the documentation.
{third}
THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED."""
THIRD = """3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or
promote products derived from this software without specific prior written permission."""
ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted{notice}. THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE."""
NOTICE = ", provided that the above copyright notice and this permission notice appear in all copies"


@pytest.mark.parametrize(
    ("text", "spdx"),
    [
        (MIT, "MIT"),
        (BSD.format(third=""), "BSD-2-Clause"),
        (BSD.format(third=THIRD), "BSD-3-Clause"),
        (ISC.format(notice=NOTICE), "ISC"),
        (ISC.format(notice=""), "0BSD"),
    ],
)
def test_a_licence_is_recognised_and_told_from_its_sisters(text: str, spdx: str) -> None:
    assert recognise_licence(text) == Licence(spdx, 1.0)


def test_a_changed_licence_has_less_confidence_and_prose_has_none() -> None:
    changed = recognise_licence(MIT.replace("free of charge", "for a fee").replace("sublicense", "rent"))

    assert changed is not None
    assert changed.spdx == "MIT"
    assert 0.6 <= changed.confidence < 1
    assert recognise_licence("All rights reserved. Do not copy.") is None
    assert recognise_licence("") is None


def test_a_markdown_readme_without_badges_code_and_markup() -> None:
    text = """\
[![build](https://x/y.svg)](https://x)
# **Dog**

![logo](x.png)

Dog is a [library](https://x) that `barks`
in *two* lines, <b>truly</b>.

It bites as well, when it has to do so.

## Install
```
# not a heading
pip install dog
```
## Use
"""
    assert read_readme(text) == Readme(
        "Dog",
        "Dog is a library that barks in two lines, truly.\n\nIt bites as well, when it has to do so.",
        ("Install", "Use"),
    )


def test_a_restructured_readme() -> None:
    text = "======\nDjango\n======\n\nDjango is a `framework <https://x>`_ for the web.\n\nUse\n---\n\n.. code::\n\n    x = 1\n"

    assert read_readme(text) == Readme("Django", "Django is a framework for the web.", ("Use",))


@pytest.mark.parametrize(
    "heading",
    [
        "The library of everything\n=========================",
        "=========================\nThe library of everything\n=========================",
        "#########################\nThe library of everything\n#########################",
        '<h1 align="center">\n  <a href="https://example.org">\n    The library of\n    everything\n  </a>\n</h1>',
        '<div align="center"><h1>The library\nof everything</h1></div>',
    ],
)
def test_a_title_of_several_lines_is_a_title_and_no_prose(heading: str) -> None:
    text = f"{heading}\n\nIt knows, when it has to do so.\n\n## Use\n\nRun it.\n"

    assert read_readme(text) == Readme("The library of everything", "It knows, when it has to do so.", ("Use",))


@pytest.mark.parametrize(
    "row",
    [
        "[Quickstart](https://x.org/a) • [Website](https://x.org) • [Documentation](https://x.org/d)",
        '<a href="a">Getting started</a>\n<span> · </span>\n<a href="b">Showcase</a> or <a href="c">Help</a>',
        "Documentation: `Python <https://x.org/p>`_ - `Rust <https://x.org/r>`_ - `Node.js <https://x.org/n>`_",
    ],
)
def test_a_row_of_links_is_not_what_a_project_says_of_itself(row: str) -> None:
    assert read_readme(f"# x\n\n{row}\n\nPeace of mind, always.\n").summary == "Peace of mind, always."


def test_prose_with_many_links_is_prose() -> None:
    text = "A server for [WSGI](a), [ASGI](b) and [HTTP](c) that runs wherever Python does."

    assert read_readme(f"# x\n\n{text}\n").summary.startswith("A server for WSGI, ASGI and HTTP")


def test_where_links_lead_is_no_prose() -> None:
    text = "# Flask\n\nFlask is a lightweight [WSGI] framework.\n\n[WSGI]: https://wsgi.test/\n[Werkzeug]: https://w.test/\n\n## Use\n"

    assert read_readme(text).summary == "Flask is a lightweight WSGI framework."


def test_prose_above_the_first_heading_is_the_summary_and_a_picture_above_it_the_title() -> None:
    text = '<img src="x" alt="fmt">\n\n**{fmt}** is an open-source formatting library.\n\n# Features\n\n- a list\n  goes on\n'

    assert read_readme(text) == Readme("fmt", "{fmt} is an open-source formatting library.", ("Features",))


@pytest.mark.parametrize(
    ("above", "title"),
    [
        ('<div align="center">\n  <img width="500" alt="Hono"/>\n</div>\n\n<hr />\n', "Hono"),
        (".. image:: https://example.org/curves.svg\n   :align: center\n   :alt: pytest\n", "pytest"),
        ("![Bite](docs/logo.png)\n", "Bite"),
        ("[![build](https://ci/badge.svg)](https://ci)\n", ""),
        (".. image:: https://img.shields.io/pypi/v/pytest.svg\n    :alt: version\n", ""),
        ("", ""),
    ],
)
def test_a_picture_above_everything_is_the_title_and_a_badge_is_none(above: str, title: str) -> None:
    text = f"{above}\nIt bites, when it has to do so.\n\n![later](x.png)\n\n## Use\n"

    assert read_readme(text) == Readme(title, "It bites, when it has to do so.", ("Use",))


def test_news_are_not_what_a_project_says_of_itself() -> None:
    text = "# Gin\n\n## Gin 1.12 is out!\n\nWe are excited to announce the release of Gin 1.12.\n\n---\n\nGin is a web framework written in Go.\n"

    assert read_readme(text).summary == "Gin is a web framework written in Go."


def test_names_keep_their_underscores_comments_say_nothing_and_addresses_are_kept() -> None:
    text = """\
<!---
 Licensed to somebody, in many lines of prose that nobody wants to read here.
 # Not a title
--><!-- one more -->
The Dog
=======

See its site at <https://dog.test/> or <mailto:a@dog.test>, and _**both**_ of `A_B` &amp; C_D_E. <!-- no

more -->

    # code, not a heading

### `RACK_QUERY_PARSER_LIMIT`
## C#
## Closed ##
"""
    assert read_readme(text) == Readme(
        "The Dog",
        "See its site at https://dog.test/ or mailto:a@dog.test, and both of A_B & C_D_E.",
        ("RACK_QUERY_PARSER_LIMIT", "C#", "Closed"),
    )


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("# ![Rack](contrib/logo.webp)", "Rack"),
        ('# <img src="x.png" width="3" alt="Phoenix logo" />', "Phoenix"),
        ("# [![Build](https://x/y.svg)](https://x)", ""),
        ("# Move fast<br/>break nothing", "Move fast break nothing"),
        (f"# Serilog&nbsp;{'[![Build status](https://x.test/badge.svg)](https://x.test)&nbsp;' * 9}", "Serilog"),
    ],
)
def test_a_title_that_is_a_picture_is_what_the_picture_shows_and_badges_are_none(heading: str, title: str) -> None:
    assert read_readme(f"{heading}\n\nIt bites, when it has to do so.\n").title == title


def test_a_quotation_above_the_first_heading_is_what_the_project_says_of_itself() -> None:
    text = "<picture>\n<img alt='x'>\n</picture>\n\n> [!NOTE]\n> It is old by now.\n\n> Peace of mind, always.\n\n## Start\n## Use\n"

    assert read_readme(text) == Readme("x", "Peace of mind, always.", ("Start", "Use"))


@given(st.text(alphabet="#=-`*[]()<>!_|. \nab", max_size=400))
def test_any_text_is_read_as_a_readme(text: str) -> None:
    readme = read_readme(text)

    assert len(readme.summary) <= 600
    assert all("\n" not in name for name in (readme.title, *readme.sections))


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "<",
        "<h1>",
        "<h1>\n",
        "<h1>a</h2\n",
        "`",
        "*",
        "# ",
        "=" * 50 + "\n",
        "a\n---\n",
        "[a](" * 2,
        "<!--",
        "<img ",
        "_a",
        "&#",
    ],
)
def test_a_hostile_readme_takes_no_time(piece: str) -> None:
    assert len(read_readme(piece * (1_000_000 // len(piece))).title) <= 600


def a_tree(files: dict[str, str], skipped: dict[str, str] | None = None) -> tuple[list[TreeRow], list[SourceRow]]:
    tree, sources = [], []
    for path, content in files.items():
        language = language_of(path)
        fields = {"path": path, "blob_id": "0", "language": language, "file_class": file_class_of(path, language)}
        size, lines = len(content), content.count("\n")
        tree.append(TreeRow(**fields, mode="100644", size=size, lines=lines, shard=0))
        sources.append(SourceRow(**fields, size=size, lines=lines, content=content))
    for path, reason in (skipped or {}).items():
        tree.append(TreeRow(path=path, blob_id="0", mode="100644", size=1, skipped=reason, language=language_of(path)))
    return tree, sources


FILES = {
    "README.md": "# App\n\nAn app that does one thing and does it well.\n",
    "docs/README.md": "# Docs\n",
    "LICENSE": MIT,
    "pyproject.toml": '[project]\nname = "app"\ndescription = "One thing"\ndependencies = ["rich"]\nscripts = {app = "app:main"}\n',
    "web/package.json": '{"dependencies": {"react": "19"}}',
    "tests/fixtures/package.json": '{"dependencies": {"fixture": "1"}}',
    "tests/requirements/py3.txt": "selenium\n",
    "broken/pyproject.toml": "[project",
    ".github/workflows/test.yml": "on: push\n",
    "Dockerfile": "FROM scratch\n",
    "src/app.py": "x = 1\n",
}


def test_metadata_of_a_repository() -> None:
    tree, sources = a_tree(FILES, {"uv.lock": "lock_file"})
    [(_, wanted)] = choose_files(tree).wanted.items()

    gathered = gather_metadata(choose_files(tree), [row for row in sources if row.path in wanted])
    found = gathered.facts

    assert sorted(wanted) == sorted(set(FILES) - {
        "docs/README.md", "tests/fixtures/package.json", "src/app.py",
    })  # fmt: skip
    assert (found["readme_found"], found["readme_title"], found["readme_path"]) == (True, "App", "README.md")
    assert (found["name"], found["description"]) == ("app", "One thing")
    assert found["licence"] == {"spdx": "MIT", "confidence": 1.0, "path": "LICENSE", "files": ["LICENSE"]}
    assert found["dependencies_found"] == 3
    assert found["dependencies"] == [
        {"name": "rich", "constraint": "", "scope": "runtime", "group": "", "ecosystem": "python", "path": "pyproject.toml",
         "line": 4},
        {"name": "react", "constraint": "19", "scope": "runtime", "group": "", "ecosystem": "javascript",
         "path": "web/package.json", "line": 1},
        {"name": "selenium", "constraint": "", "scope": "test", "group": "py3", "ecosystem": "python", "path": "tests/requirements/py3.txt",
         "line": 1},
    ]  # fmt: skip
    assert found["entry_points"] == [{"name": "app", "target": "app:main", "kind": "command", "path": "pyproject.toml"}]
    assert [item["path"] for item in found["unreadable_manifests"]] == ["broken/pyproject.toml", "uv.lock"]  # type: ignore[attr-defined]  # a list of mappings
    assert [row.name for row in gathered.dependencies] == ["rich", "react", "selenium"]
    assert found["lock_files"] == ["uv.lock"]
    assert found["ci"] == [{"name": "GitHub Actions", "path": ".github/workflows/test.yml"}]
    assert found["containers"] == ["Dockerfile"]
    assert isinstance(found["config_files"], int)


def test_a_repository_that_says_nothing_of_itself() -> None:
    tree, sources = a_tree({"main.c": "int main;\n"})

    found = gather_metadata(choose_files(tree), sources).facts

    assert choose_files(tree).wanted == {}
    assert (found["readme_found"], found["dependencies_found"], found["config_files"]) == (False, 0, 0)
    assert found["licence"] == {}


def test_a_licence_that_only_the_manifest_names() -> None:
    tree, sources = a_tree({"package.json": '{"license": "SEE LICENSE"}'})

    assert gather_metadata(choose_files(tree), sources).facts["licence"] == {
        "name": "SEE LICENSE",
        "path": "package.json",
        "files": [],
    }


def a_licence(spdx: str) -> str:
    """A text that resembles one licence."""
    return "\n".join(recognising._SENTENCES[spdx])


@pytest.mark.parametrize(
    ("files", "spdx", "path"),
    [
        ({"COPYING": a_licence("GPL-3.0"), "COPYING.LESSER": a_licence("LGPL-3.0")}, "LGPL-3.0", "COPYING.LESSER"),
        (
            {"LICENSES/Apache-2.0.txt": a_licence("Apache-2.0"), "LICENSES/MIT.txt": MIT},
            None,
            "LICENSES/Apache-2.0.txt",
        ),
        (
            {
                "LICENSES/CC0-1.0.txt": a_licence("CC0-1.0"),
                "LICENSES/MIT.txt": MIT,
                "package.json": '{"license": "MIT"}',
            },
            "MIT",
            "LICENSES/MIT.txt",
        ),
        ({"COPYING": a_licence("GPL-3.0")}, "GPL-3.0", "COPYING"),
        (
            {"COPYING": a_licence("GPL-3.0"), "package.json": '{"license": "GPL-3.0-or-later"}'},
            "GPL-3.0-or-later",
            "COPYING",
        ),
        ({"LICENSE": MIT, "package.json": '{"license": "Apache-2.0"}'}, "MIT", "LICENSE"),
    ],
)
def test_the_licence_of_ordinary_layouts(files: dict[str, str], spdx: str | None, path: str) -> None:
    tree, sources = a_tree(files)
    found = gather_metadata(choose_files(tree), sources).facts["licence"]

    assert isinstance(found, dict)
    assert (found.get("spdx"), found["path"]) == (spdx, path)


def test_metadata_of_a_huge_manifest_fits_into_an_event() -> None:
    many = ", ".join(f'"{"p" * 60}{number}": "^1.0.0"' for number in range(2_000))
    tree, sources = a_tree({"package.json": '{"dependencies": {' + many + "}}"})

    found = gather_metadata(choose_files(tree), sources).facts

    assert len(json.dumps(found)) <= MAX_BYTES + 1_000
    assert found["dependencies_found"] == 2_000
    assert found["dependencies_in_all"] == 2_000


def test_structure_counts_languages_classes_and_folders() -> None:
    tree, _ = a_tree(
        {"src/a/b/c/deep.py": "x = 1\n", "src/a/x.py": "y\n", "tests/test_x.py": "z\n", "README.md": "hi\n"},
        {"src/logo.png": "binary"},
    )

    facts = describe_structure(tree)

    assert facts["languages"] == {"python": 10, "markdown": 3}
    assert facts["classes"] == {
        "code": {"files": 2, "bytes": 8, "lines": 2},
        "docs": {"files": 1, "bytes": 3, "lines": 1},
        "test": {"files": 1, "bytes": 2, "lines": 1},
    }
    assert facts["folders"] == [
        {"path": "src", "files": 2, "bytes": 8, "lines": 2, "skipped": 1},
        {"path": "tests", "files": 1, "bytes": 2, "lines": 1, "skipped": 0},
        {"path": "src/a", "files": 2, "bytes": 8, "lines": 2, "skipped": 0},
        {"path": "src/a/b", "files": 1, "bytes": 6, "lines": 1, "skipped": 0},
    ]
    assert facts["skipped"] == {"binary": 1}
    largest = facts["largest_files"]
    assert isinstance(largest, list)
    assert largest[0]["path"] == "src/a/b/c/deep.py"


def test_structure_of_a_wide_repository_fits_into_an_event() -> None:
    tree, _ = a_tree({f"{'d' * 200}{number}/{'f' * 200}.py": "x\n" for number in range(3_000)})

    facts = describe_structure(tree)

    assert len(json.dumps(facts)) <= MAX_BYTES + 1_000
    assert facts["files"] == 3_000
    assert facts["folders_not_shown"] == 2_850


def test_lists_are_cut_from_their_ends_and_say_by_how_much() -> None:
    facts = fit(
        {"long": [f"item {number}" for number in range(1_000)], "short": ["x"], "text": "t" * 5_000}, limit=2_000
    )

    kept = facts["long"]
    assert isinstance(kept, list)
    assert kept[0] == "item 0"
    assert facts["left_out"] == {"long": 1_000 - len(kept)}
    assert facts["short"] == ["x"]
    assert len(json.dumps(facts)) < 2_100


def test_facts_that_are_small_stay_as_they_are() -> None:
    assert fit({"a": [1, 2], "b": {"c": "d"}, "e": None}) == {"a": [1, 2], "b": {"c": "d"}, "e": None}


def test_a_commit_says_its_date_and_subject() -> None:
    commit = (
        b"tree 0\nauthor A B <a@b> 1700000000 -0730\ncommitter C <c@d> 1800000000 +0000\n\nFix  the\nbark\n\nBody\n"
    )

    assert read_commit(commit) == (
        datetime.fromtimestamp(1_700_000_000, UTC).astimezone(timezone(-timedelta(hours=7, minutes=30))),
        "Fix the bark",
    )


@pytest.mark.parametrize(
    "author",
    [
        b"",
        b"author x",
        b"author A <a> 99999999999999 +0000",
        b"author A <a> 999999999999 +0000",
        b"author A <a> 1 +9999",
    ],
)
def test_a_nonsense_date_is_no_date(author: bytes) -> None:
    assert read_commit(b"tree 0\n" + author + b"\n\nS\x1b[31m\xff\n") == (None, "S [31m\ufffd")
