import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.faults import Permanent
from runtime.repository_url import RepositoryUrl, parse_repository_url

HOSTS = frozenset({"github.com", "gitlab.com", "git.example.org"})


@pytest.mark.parametrize(
    ("raw", "url", "host", "name"),
    [
        ("https://github.com/pallets/flask", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("https://github.com/pallets/flask.git", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("https://github.com/pallets/flask/", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("https://github.com/pallets/flask.git/", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("HTTPS://GitHub.com/pallets/flask", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("https://github.com:443/pallets/flask", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("github.com/pallets/flask", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("pallets/flask", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        (
            "JamesNK/Newtonsoft.Json",
            "https://github.com/JamesNK/Newtonsoft.Json",
            "github.com",
            "JamesNK/Newtonsoft.Json",
        ),
        ("https://github.com/o/.github", "https://github.com/o/.github", "github.com", "o/.github"),
        ("https://github.com/o/n.github.io", "https://github.com/o/n.github.io", "github.com", "o/n.github.io"),
        ("git@github.com:pallets/flask.git", "https://github.com/pallets/flask", "github.com", "pallets/flask"),
        ("git@GitLab.com:a/b/c", "https://gitlab.com/a/b/c", "gitlab.com", "a/b/c"),
        ("ssh://git@github.com/o/n.git", "https://github.com/o/n", "github.com", "o/n"),
        ("ssh://git@github.com:22/o/n", "https://github.com/o/n", "github.com", "o/n"),
        ("https://gitlab.com/a/b/c/d", "https://gitlab.com/a/b/c/d", "gitlab.com", "a/b/c/d"),
        ("https://git.example.org/a_b/c.d", "https://git.example.org/a_b/c.d", "git.example.org", "a_b/c.d"),
    ],
)
def test_an_allowed_address_is_rebuilt_in_one_form(raw: str, url: str, host: str, name: str) -> None:
    for loopback in (False, True):
        assert parse_repository_url(raw, hosts=HOSTS, loopback=loopback) == RepositoryUrl(url, host, name)


@pytest.mark.parametrize(
    ("raw", "url", "name"),
    [
        ("http://127.0.0.1:8123/flask.git", "http://127.0.0.1:8123/flask", "flask"),
        ("http://127.0.0.1/a/b", "http://127.0.0.1/a/b", "a/b"),
        ("http://localhost:65535/a/b/", "http://localhost:65535/a/b", "a/b"),
        ("HTTP://LOCALHOST:80/a", "http://localhost:80/a", "a"),
    ],
)
def test_this_machine_is_allowed_only_where_the_settings_say_so(raw: str, url: str, name: str) -> None:
    parsed = parse_repository_url(raw, hosts=HOSTS, loopback=True)

    assert (parsed.url, parsed.name) == (url, name)
    with pytest.raises(Permanent):
        parse_repository_url(raw, hosts=HOSTS, loopback=False)


def test_a_foreign_host_is_named_by_the_hosts_that_are_allowed_instead() -> None:
    with pytest.raises(Permanent) as caught:
        parse_repository_url("https://evil.com/o/n", hosts=HOSTS, loopback=False)

    assert caught.value.code == "host_not_allowed"
    assert "github.com" in caught.value.message
    assert "evil" not in caught.value.message


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "intranet", "0x7f000001", "a..b.com"])
def test_an_address_among_the_allowed_hosts_is_still_refused(host: str) -> None:
    with pytest.raises(Permanent) as caught:
        parse_repository_url(f"https://{host}/o/n", hosts=frozenset({host}), loopback=False)

    assert caught.value.code == "host_not_allowed"


@given(raw=st.text(alphabet=string.printable + "\u202e\u2460\x00:@/.\\%", max_size=60))
def test_whatever_passes_is_rebuilt_from_harmless_parts_and_passes_again_as_itself(raw: str) -> None:
    for prefix in ("", "https://github.com/", "http://127.0.0.1:"):
        try:
            parsed = parse_repository_url(prefix + raw, hosts=HOSTS, loopback=True)
        except Permanent:
            continue
        assert set(parsed.url) <= set(string.ascii_letters + string.digits + "._-:/")
        assert ".." not in parsed.url.split("/")
        assert parse_repository_url(parsed.url, hosts=HOSTS, loopback=True) == replace(parsed, inside=None)


@pytest.mark.parametrize(
    ("raw", "identity"),
    [
        ("https://github.com/Pallets/Flask", "https://github.com/pallets/flask"),
        ("https://gitlab.com/A/b/C", "https://gitlab.com/a/b/c"),
        ("https://git.example.org/A/b", "https://git.example.org/A/b"),  # of whose software nothing is known
    ],
)
def test_spellings_are_one_where_the_host_says_so_and_stay_as_they_were_typed(raw: str, identity: str) -> None:
    address = parse_repository_url(raw, hosts=HOSTS, loopback=False)

    assert (address.identity, address.url) == (identity, raw)
