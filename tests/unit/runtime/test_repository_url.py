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


HOSTILE = [
    # nothing, blanks and bytes that parsers drop
    "",
    " ",
    " https://github.com/o/n",
    "https://github.com/o/n\n",
    "https://git\thub.com/o/n",
    "https://github.com/o/\nn",
    "https://github.com/o/n\x00",
    "\x7fhttps://github.com/o/n",
    "https://github.com/o/n\u200b",
    "https://github.com/o/\u202egpj.n",
    "https://github.com/" + "a" * 2_000 + "/n",
    # other transports, and options in disguise
    "http://github.com/o/n",
    "git://github.com/o/n",
    "ssh://git@github.com/o/n",
    "git@github.com:o/n.git",
    "ftp://github.com/o/n",
    "file:///etc/passwd",
    "/etc/passwd",
    "../../etc",
    "./repo",
    "C:\\repo",
    "ext::sh -c id",
    "ext::sh%20-c%20id",
    "fd::17",
    "https::https://github.com/o/n",
    "--upload-pack=/bin/sh",
    "-u/x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//github.com/o/n",
    "https:/github.com/o/n",
    "https:github.com/o/n",
    "https:///o/n",
    # who is asked, not what it looks like
    "https://evil.com/o/n",
    "https://github.com.evil.com/o/n",
    "https://evil-github.com/o/n",
    "https://www.github.com/o/n",
    "https://github.com./o/n",
    "https://githubXcom/o/n",
    "https://g\u0456thub.com/o/n",
    "https://\uff47ithub.com/o/n",
    "https://xn--gthub-n4a.com/o/n",
    "https://user@github.com/o/n",
    "https://user:secret@github.com/o/n",
    "https://github.com@evil.com/o/n",
    "https://github.com:secret@evil.com/o/n",
    "https://github.com%2f@evil.com/o/n",
    "https://evil.com\\@github.com/o/n",
    "https://github.com:22/o/n",
    "https://github.com:443@evil.com/o/n",
    "https://github.com:/o/n",
    "https://github.com:0443/o/n",
    # addresses that mean this machine or the network around it
    "https://127.0.0.1/o/n",
    "https://127.1/o/n",
    "https://2130706433/o/n",
    "https://0x7f000001/o/n",
    "https://0177.0.0.1/o/n",
    "https://0/o/n",
    "https://[::1]/o/n",
    "https://[::ffff:127.0.0.1]/o/n",
    "https://\u2460\u2461\u2466.0.0.1/o/n",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/o/n",
    "https://metadata.google.internal/o/n",
    "http://127.0.0.1.evil.com/o/n",
    "http://localhost.evil.com/o/n",
    "http://127.0.0.1@evil.com/o/n",
    "http://127.0.0.1:99999/o/n",
    "http://127.0.0.1:0/o/n",
    "http://127.0.0.1:80:80/o/n",
    "http://127.0.0.2/o/n",
    "http://[::1]:80/o/n",
    "https://localhost/o/n",
    "http://127.0.0.1:8000/",
    "http://127.0.0.1:8000",
    # paths that no repository has
    "https://github.com",
    "https://github.com/",
    "https://github.com/o",
    "https://github.com/o/",
    "https://github.com//n",
    "https://github.com/o//n",
    "https://github.com/o/n//",
    "https://github.com/o/..",
    "https://github.com/../n",
    "https://github.com/o/.",
    "https://github.com/o/.git",
    "https://github.com/o/.git/config",
    "https://github.com/o/n.git.git",
    "https://github.com/o/-n",
    "https://github.com/-o/n",
    "https://github.com/o/n?x=1",
    "https://github.com/o/n#readme",
    "https://github.com/o/n;x",
    "https://github.com/o/%6e",
    "https://github.com/o/%2e%2e/n",
    "https://github.com/o/n tree",
    "https://github.com/o/" + "n" * 101,
    "https://github.com/pallets/flask/tree",
    "https://github.com/pallets/flask/tree/",
    "https://github.com/pallets/flask/tree//main",
    "https://github.com/pallets/flask/tree/main/../..",
    "https://github.com/pallets/flask/tree/main/.git/config",
    "https://github.com/pallets/flask/tree/main?tab=readme",
    "https://github.com/pallets/flask/blob/main/a.py#L10-L20",
    "https://github.com/pallets/flask/tree/main/a%20b",
    "https://github.com/pallets/flask/commit/main",
    "https://github.com/pallets/flask/commit/36e4a824f340fdee7ed50937ba8e7f6bc7d17f81/src",
    "https://github.com/pallets/flask/issues/3",
    "https://github.com/pallets/flask/pull/5/files",
    "https://github.com/pallets/flask/src/main",
    "https://gitlab.com/a/b/-/issues",
    "https://gitlab.com/a/-/tree/main",
    "https://gitlab.com/a/b/-/",
    "https://github.com/o/n/tree/" + "a/" * 64 + "b",
    "https://github.com/o/n/tree/" + "a" * 1_025,
    "https://gitlab.com/" + "/".join("abcdefghij"),
    "owner",
    "owner/",
    "/name",
    "-owner/name",
    "owner/..",
    "owner/.git",
]


@pytest.mark.parametrize("raw", HOSTILE)
@pytest.mark.parametrize("loopback", [False, True])
def test_a_hostile_address_is_refused_with_a_named_code(raw: str, loopback: bool) -> None:
    with pytest.raises(Permanent) as caught:
        parse_repository_url(raw, hosts=HOSTS, loopback=loopback)

    assert caught.value.code in {"bad_url", "host_not_allowed", "credentials_in_url"}
    assert "secret" not in caught.value.message


def test_the_table_is_long_enough_and_has_no_doubles() -> None:
    assert len(HOSTILE) == len(set(HOSTILE)) >= 80


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
