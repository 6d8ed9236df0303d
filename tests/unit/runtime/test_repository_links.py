"""Addresses of pages of hosts: which repository they name, and what inside it."""

import pytest

from runtime.repository_url import Inside, is_inner_path, parse_repository_url

HOSTS = frozenset({"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "git.example.org"})
SHA = "36e4a824f340fdee7ed50937ba8e7f6bc7d17f81"


@pytest.mark.parametrize(
    ("raw", "name", "inside"),
    [
        ("https://github.com/pallets/flask/tree/main", "pallets/flask", Inside("main")),
        ("https://github.com/pallets/flask/tree/main/", "pallets/flask", Inside("main")),
        ("github.com/pallets/flask/tree/main/src/flask/", "pallets/flask", Inside("main/src/flask")),
        ("https://github.com/pallets/flask.git/tree/fix/a.git", "pallets/flask", Inside("fix/a.git")),
        ("https://github.com/pallets/flask/tree/renovate/@types+x", "pallets/flask", Inside("renovate/@types+x")),
        ("https://github.com/pallets/flask/blob/3.0.x/src/app.py", "pallets/flask", Inside("3.0.x/src/app.py", True)),
        (f"https://github.com/pallets/flask/commit/{SHA}", "pallets/flask", Inside(SHA)),
        (f"https://github.com/pallets/flask/commit/{SHA.upper()}/", "pallets/flask", Inside(SHA)),
        (f"https://github.com/pallets/flask/tree/{SHA}/src", "pallets/flask", Inside(f"{SHA}/src")),
        ("https://gitlab.com/a/b/c/d/-/tree/main/src", "a/b/c/d", Inside("main/src")),
        ("https://gitlab.com/a/b/-/blob/v1/x.py", "a/b", Inside("v1/x.py", True)),
        (f"https://gitlab.com/a/b/-/commit/{SHA}", "a/b", Inside(SHA)),
        ("https://gitlab.com/a/b/tree/main", "a/b", Inside("main")),
        ("https://gitlab.com/a/src/c", "a/src/c", None),
        ("https://bitbucket.org/o/n/src/main/lib/", "o/n", Inside("main/lib")),
        (f"https://bitbucket.org/o/n/src/{SHA}/lib", "o/n", Inside(f"{SHA}/lib")),
        ("https://codeberg.org/o/n/src/branch/main/lib", "o/n", Inside("main/lib")),
        ("https://codeberg.org/o/n/src/tag/v1", "o/n", Inside("v1")),
        ("https://git.example.org/o/n/src/branch/main", "o/n", Inside("main")),
        ("https://git.example.org/o/n/blob/main/a", "o/n", Inside("main/a", True)),
        ("https://github.com/tree/blob", "tree/blob", None),
        ("https://gitlab.com/a/b/-/tree/main?ref_type=heads", "a/b", Inside("main")),
        ("https://gitlab.com/a/b/-/blob/v1/x.md?ref_type=tags&plain=1#L3-9", "a/b", Inside("v1/x.md", True)),
        ("https://github.com/o/n/blob/main/a.py#L10", "o/n", Inside("main/a.py", True)),
        ("https://github.com/o/n/blob/main/a.py?plain=1#L10C5-L20C3", "o/n", Inside("main/a.py", True)),
        ("https://github.com/o/n/tree/main/#L1", "o/n", Inside("main")),
        ("https://github.com/o/n?tab=readme-ov-file", "o/n", None),
        ("https://github.com/o/n/?tab=readme-ov-file#a-simple-example", "o/n", None),
        ("https://github.com/o/n?tab=BSD-3-Clause-1-ov-file#readme", "o/n", None),
        ("https://github.com/o/n#%E5%AE%89%E8%A3%85", "o/n", None),  # a heading of its README: no host is sent it
        ("https://github.com/o/n/tree/main?tab=readme-ov-file", "o/n", Inside("main")),
        ("https://github.com/o/n/blob/main/README.md#installing", "o/n", Inside("main/README.md", True)),
        ("https://bitbucket.org/o/n/src/main/a.py#lines-12:34", "o/n", Inside("main/a.py")),
        (f"https://bitbucket.org/o/n/commits/{SHA}", "o/n", Inside(SHA)),
        (f"https://github.com/o/n/commits/{SHA}", "o/n", Inside(SHA)),
        ("https://github.com/o/n/commits/fix/a/", "o/n", Inside("fix/a")),
        ("https://gitlab.com/a/b/-/commits/main?ref_type=heads", "a/b", Inside("main")),
        ("https://www.github.com/o/n", "o/n", None),
        ("WWW.GitHub.com/o/n/tree/main", "o/n", Inside("main")),
        ("https://www.gitlab.com:443/a/b", "a/b", None),
        ("https://github.com/o/n/tree/feature%2Fx/my%20folder", "o/n", Inside("feature/x/my folder")),
        ("https://github.com/o/n/tree/main/gr%C3%B6%C3%9Fe/100%2525", "o/n", Inside("main/größe/100%25")),
    ],
)
def test_a_link_into_a_repository_names_it_and_what_is_inside(raw: str, name: str, inside: Inside | None) -> None:
    parsed = parse_repository_url(raw, hosts=HOSTS, loopback=False)

    assert (parsed.name, parsed.inside) == (name, inside)
    assert parsed.url == f"https://{parsed.host}/{name}"


def test_links_into_a_repository_on_this_machine_are_read_the_same_way() -> None:
    parsed = parse_repository_url("http://127.0.0.1:8123/flask/tree/main/src", hosts=HOSTS, loopback=True)

    assert (parsed.url, parsed.inside) == ("http://127.0.0.1:8123/flask", Inside("main/src"))


@pytest.mark.parametrize("path", ["src", "a b/c", "größe/x", "a/.github", "x" * 1_024, "-option"])
def test_a_plain_relative_path_is_inside(path: str) -> None:
    assert is_inner_path(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc", "a//b", "a/", ".", "..", "a/../b", "a/./b", ".git", "a/.GIT/config", "a\\b", "a\x00"),
        *("a\nb", "\u202egpj", "a\u200bb", "\ud800", "x" * 1_025, "ü" * 513, "a/" * 64 + "b"),
    ],
)
def test_a_path_that_leaves_or_hides_is_not(path: str) -> None:
    assert not is_inner_path(path)
