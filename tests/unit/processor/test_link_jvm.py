"""Java, Kotlin and Scala: what a file is part of is what its package line says, wherever its folder is."""

import pyarrow as pa
import pytest

from events.artifacts import EdgeRow, SymbolRow
from processor.linking.jvm_dependencies import JvmDependencies
from processor.linking.meanings import Known
from processor.stages.link import Repository, link
from processor.stages.parse import parse_source
from runtime.parquet import schema_of
from tests.support.sources import a_source
from tests.unit.processor.test_link import calls, imports

# No folder is called like the package; that of the tests is another one than that of the code.
SHOP = {
    "code/Cart.java": "package com.ex.shop;\nclass Cart { void pay() { Prices.sum(); } }\n",
    "other/Prices.kt": "package com.ex.shop\nobject Prices { fun sum() = 1 }\nfun Cart.print() = 2\nval rate = 3\n"
    "fun discount() = 4\n",
    "checks/CartTest.java": "package com.ex.shop;\nclass CartTest { void test() { new Cart().pay(); } }\n",
}


@pytest.mark.parametrize(
    ("imported", "resolution", "target"),
    [
        ("com.ex.shop.Cart", "file", "code/Cart.java"),
        ("com.ex.shop.Cart.pay", "file", "code/Cart.java"),
        ("com.ex.shop.print", "file", "other/Prices.kt"),
        ("com.ex.shop.rate", "file", "other/Prices.kt"),
        ("com.ex.shop.discount as less", "file", "other/Prices.kt"),
        ("com.ex.`shop`.Prices", "file", "other/Prices.kt"),
        ("com.ex.shop.PricesKt", "file", "other/Prices.kt"),
        ("shop.Cart", "unknown", "shop.Cart"),
        ("code.Cart", "unknown", "code.Cart"),
        ("com.ex.other.Cart", "unknown", "com.ex.other.Cart"),
    ],
)
def test_an_import_leads_to_the_file_whose_package_line_and_definitions_say_so(
    imported: str, resolution: str, target: str
) -> None:
    files = {**SHOP, "app/App.kt": f"package app\nimport {imported}\nfun run() = 1\n"}

    assert imports(files) == [(resolution, target)]


def test_what_is_in_the_same_package_is_known_without_an_import() -> None:
    assert calls(SHOP) == [
        ("Cart.pay", "other/Prices.kt", "Prices.sum", "exact"),
        ("CartTest.test", "code/Cart.java", "Cart", "exact"),
        ("CartTest.test", "code/Cart.java", "Cart.pay", "inferred"),
    ]


def test_all_of_a_package_is_known_where_it_is_imported_and_of_two_that_have_a_name_nothing_is_guessed() -> None:
    other = {"b/Cart.java": "package com.ex.old;\nclass Cart { void pay() { } }\n"}
    app = "package app\nimport com.ex.shop.*\n{}fun run() {{ discount(); Cart() }}\n"

    one = calls({**SHOP, **other, "app/App.kt": app.format("")})
    two = calls({**SHOP, **other, "app/App.kt": app.format("import com.ex.old.*\n")})

    assert [row[1:] for row in one if row[0] == "run"] == [
        ("code/Cart.java", "Cart", "exact"),
        ("other/Prices.kt", "discount", "exact"),
    ]
    assert [row[1:] for row in two if row[0] == "run"] == [("other/Prices.kt", "discount", "exact")]


def test_of_several_modules_with_the_same_names_the_nearest_one_is_meant() -> None:
    files = {
        f"{module}/src/{name}.java": f"package com.ex;\nclass {name} {{ void go() {{ new Help().help(); }} }}\n"
        for module in ("one", "two")
        for name in ("App", "Help")
    }
    files = {path: text.replace("go()", "help()") if "Help" in path else text for path, text in files.items()}

    found = [(row[0], row[1]) for row in calls(files) if row[2] == "Help" and row[0] == "App.go"]

    assert found == [("App.go", "one/src/Help.java"), ("App.go", "two/src/Help.java")]


def test_what_every_platform_of_kotlin_has_for_itself_leads_to_what_is_expected_of_it() -> None:
    files = {
        "src/jvmMain/Path.kt": "package okio\nactual class Path { actual fun up() = 1 }\n",
        "src/nativeMain/Path.kt": "package okio\nactual class Path { actual fun up() = 2 }\n",
        "src/commonMain/Path.kt": "package okio\nexpect class Path { fun up(): Int }\n",
        "src/commonTest/PathTest.kt": "package test\nimport okio.Path\nfun run() = Path()\n",
        "src/jvmMain/Use.kt": "package use\nimport okio.Path\nfun run() = Path()\n",
    }

    assert imports(files) == [("file", "src/commonMain/Path.kt"), ("file", "src/jvmMain/Path.kt")]


def test_what_several_files_of_a_package_add_to_types_leads_to_their_folder() -> None:
    files = {
        "a/x/One.kt": "package text\nfun One.render() = 1\n",
        "a/x/Two.kt": "package text\nfun Two.render() = 2\n",
        "a/Rest.kt": "package text\nclass Rest\n",
        "App.kt": "package app\nimport text.render\nimport text.*\n",
    }

    assert imports(files) == [("folder", "a/x"), ("folder", "a")]


def test_packages_of_scala_are_put_together_of_their_lines() -> None:
    files = {
        "a/A.scala": "package com.ex\npackage shop\nobject Cart { def pay() = 1 }\n",
        "b/B.scala": "package app\nimport com.ex.shop.Cart\nobject App { def run() = Cart.pay() }\n",
        "c/C.scala": "package blocks { class Inner }\n",
    }

    assert imports(files) == [("file", "a/A.scala")]
    assert calls(files) == [("App.run", "a/A.scala", "Cart.pay", "exact")]


def test_analyses_from_before_packages_were_read_are_linked_by_the_paths() -> None:
    files = {
        "src/com/ex/Cart.java": "package com.ex;\nclass Cart { }\n",
        "src/app/App.java": "package app;\nimport com.ex.Cart;\nimport com.ex.*;\nclass App { }\n",
    }
    parsed = [parse_source(a_source(path, text)) for path, text in files.items()]
    rows = [row for one in parsed for row in one.edges if row["kind"] != "package"]
    edges = pa.Table.from_pylist(rows, schema=schema_of(EdgeRow))
    symbols = pa.Table.from_pylist([row for one in parsed for row in one.symbols], schema=schema_of(SymbolRow))

    found = link(Repository(dict.fromkeys(files, "java"), lambda: [(0, symbols)], lambda: [(0, edges)], Known()))

    said = [(row["resolution"], row["target"]) for row in found.imports.to_pylist()]
    assert said == [("file", "src/com/ex/Cart.java"), ("folder", "src/com/ex")]


def test_a_file_that_says_another_package_is_not_found_by_its_path() -> None:
    files = {
        "gen/com/ex/Cart.java": "package org.other;\nclass Cart { }\n",
        "App.java": "package app;\nimport com.ex.Cart;\nclass App { }\n",
    }

    assert imports(files) == [("unknown", "com.ex.Cart")]


@pytest.mark.parametrize(
    ("module", "coordinates"),
    [
        ("org.junitpioneer.jupiter.DefaultLocale", "org.junit-pioneer:junit-pioneer"),
        ("kotlinx.datetime.Clock", "org.jetbrains.kotlinx:kotlinx-datetime"),
        ("assertk.assertions.isTrue", "com.willowtreeapps.assertk:assertk"),
        ("com.google.common.jimfs.Jimfs", "com.google.jimfs:jimfs"),
        ("com.google.common.io.Files", None),
        ("kotlinx.datetime", None),
    ],
)
def test_a_package_is_of_the_dependency_that_is_called_like_it(module: str, coordinates: str | None) -> None:
    known = "org.junit-pioneer:junit-pioneer org.jetbrains.kotlinx:kotlinx-datetime com.google.jimfs:jimfs "
    known += "com.willowtreeapps.assertk:assertk"

    assert JvmDependencies(known.split()).of(module) == coordinates
