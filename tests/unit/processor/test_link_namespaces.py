"""C#: namespaces lead to files and folders, and names to the types of the namespaces that a file is in or uses."""

import pytest

from tests.unit.processor.test_link import calls, imports

FILES = {
    "src/Shop/Cart.cs": "namespace Acme.Shop;\n\n"
    "public partial class Cart { public void Add() { new Item().Pay(); } }\n",
    "src/Shop/CartSums.cs": "namespace Acme.Shop\n{\n"
    " public partial class Cart { public int Sum() { return 1; } }\n}\n",
    "src/Shop/Items/Item.cs": "namespace Acme.Shop { public class Item { public void Pay() { } } }\n",
    "src/Other/Item.cs": "namespace Acme.Other;\npublic class Item { public void Pay() { } }\n",
    "src/App/Program.cs": "using System;\nusing Acme.Shop;\nusing Acme.Other.Sub;\nusing Own = Acme.Other.Item;\n\n"
    "namespace App;\nclass Program { void Main(Cart cart) { cart.Sum(); new Item().Pay(); Own.Make(); } }\n",
}


def test_a_using_leads_to_where_its_namespace_or_type_is() -> None:
    assert imports(FILES) == [
        ("standard", "System"),
        ("folder", "src/Shop"),
        ("unknown", "Acme.Other.Sub"),
        ("file", "src/Other/Item.cs"),
    ]


def test_names_are_looked_for_in_the_namespaces_around_and_in_those_that_are_used() -> None:
    shop, cart = "src/Shop/Items/Item.cs", "src/Shop/CartSums.cs"

    found = calls(FILES)

    assert ("Acme.Shop.Cart.Add", shop, "Acme.Shop.Item", "exact") in found
    assert ("App.Program.Main", shop, "Acme.Shop.Item", "exact") in found
    assert ("App.Program.Main", cart, "Acme.Shop.Cart.Sum", "inferred") in found
    assert not [row for row in found if row[1] == "src/Other/Item.cs"]


@pytest.mark.parametrize(
    ("usings", "expected"),
    [
        ("using Acme.Shop;\nusing Acme.Other;\n", []),
        ("using Acme.Other;\n", [("A.F", "src/Other/Item.cs", "Acme.Other.Item", "exact")]),
    ],
)
def test_a_name_of_two_used_namespaces_is_not_guessed(usings: str, expected: list[tuple[str, str, str, str]]) -> None:
    files = {**FILES, "a/A.cs": f"{usings}class A {{ void F() {{ var made = new Item(); }} }}\n"}

    assert [row for row in calls(files) if row[0] == "A.F"] == expected


def test_a_global_using_holds_in_its_project_alone() -> None:
    files = {
        **FILES,
        "a/Usings.cs": "global using Acme.Other;\n",
        "a/deep/A.cs": "class A { void F() { var made = new Item(); } }\n",
        "b/B.cs": "class B { void F() { var made = new Item(); } }\n",
    }

    found = [row for row in calls(files) if row[0] in {"A.F", "B.F"}]

    assert found == [("A.F", "src/Other/Item.cs", "Acme.Other.Item", "exact")]


def test_a_property_with_a_getter_has_the_type_that_it_names_in_kotlin() -> None:
    files = {
        "Repo.kt": "class Repo {\n  fun save() {}\n}\n",
        "A.kt": "class A {\n  val repo: Repo get() = made\n  val late: Repo\n    get() = made\n"
        "  fun f() { repo.save() }\n  fun g() { this.late.save() }\n}\n",
    }

    assert calls(files) == [("A.f", "Repo.kt", "Repo.save", "inferred"), ("A.g", "Repo.kt", "Repo.save", "inferred")]
