"""Dependencies as rows: grouped by manifest, by scope, with an address for each line that can be shown."""

from runtime.client.shapes import DependencyView
from web_ui import needs


def one(name: str, **said: object) -> DependencyView:
    fields = {"ecosystem": "python", "constraint": "", "version": "", "scope": "runtime", "group": "", "line": 3}
    return DependencyView.model_validate(fields | {"name": name, "path": "pyproject.toml", "locked": False} | said)


def test_mentions_are_grouped_by_manifest_and_ordered_by_scope_group_and_line() -> None:
    found = [
        one("c", scope="dev", group="x", line=9),
        one("b", line=5),
        one("a", line=4),
        one("z", scope="of tomorrow"),
        one("l", path="uv.lock", locked=True),
    ]

    grouped = needs.by_manifest(found)

    assert [(each.title, [mention.name for mention in each.mentions]) for each in grouped] == [
        ("pyproject.toml · python · 4", ["a", "b", "c", "z"]),
        ("uv.lock · lock file · 1", ["l"]),
    ]


def test_only_lines_that_are_kept_have_an_address() -> None:
    assert (
        needs.address("id", one("a", path="a b/x&y.toml"))
        == "/analysis?analysis=id&open=a+b%2Fx%26y.toml%3A3&at=dependencies"
    )
    assert needs.address("id", one("a", locked=True)) == ""
    assert needs.address("id", one("a", line=0)) == ""


def test_a_scope_says_what_it_means_and_whose_it_is() -> None:
    assert needs.scope_words(one("a", scope="managed")) == "managed (version only)"
    assert needs.scope_words(one("a", scope="optional", group="docs")) == "optional: docs"


def test_unreadable_manifests_of_old_and_new_analyses() -> None:
    assert needs.unread({"unreadable_manifests": ["a/pom.xml", {"path": "b", "reason": "why"}]}) == [
        ("a/pom.xml", ""),
        ("b", "why"),
    ]
    assert needs.unread({}) == []
