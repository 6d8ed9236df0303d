# ruff: noqa: E501  # what git says is quoted as it says it
from pathlib import Path

import pytest

from processor.adapters import git_recipe as recipe
from processor.adapters.git_errors import fault_of, ref_not_found

ROUTE = recipe.Route("https", "socks5h://127.0.0.1:1080")
NOT_FOUND = ("permanent", "repository_not_found")
NOT_ALLOWED = ("permanent", "host_not_allowed")
MOVED = ("permanent", "repository_moved")
UNREACHABLE = ("transient", "host_unreachable")
URL = "https://github.com/o/n.git"


def test_the_environment_is_made_of_nothing_but_what_is_listed(tmp_path: Path) -> None:
    made = recipe.environment(tmp_path, scheme="https", path="/usr/bin")

    assert made["GIT_ALLOW_PROTOCOL"] == "https"
    assert made["HOME"] == str(tmp_path)
    assert made["GIT_CONFIG_GLOBAL"] == made["GIT_CONFIG_SYSTEM"] == "/dev/null"
    assert made["GIT_TERMINAL_PROMPT"] == "0"
    assert made["GIT_NO_LAZY_FETCH"] == "1"
    assert not [name for name in made if "TRACE" in name or "proxy" in name.lower()]


def test_a_clone_is_bare_shallow_filtered_and_its_address_comes_after_the_options() -> None:
    argv = recipe.clone(recipe.config(ROUTE), URL, Path("/x/r.git"), "--upload-pack=sh", 1_048_576)

    assert argv[-3:] == ["--", URL, "/x/r.git"]
    assert "--branch=--upload-pack=sh" in argv
    for option in ("--bare", "--depth=1", "--single-branch", "--no-tags", "--filter=blob:limit=1048577", "--template="):
        assert option in argv


def test_redirects_other_protocols_helpers_and_hooks_are_off() -> None:
    options = recipe.config(ROUTE)

    assert options["http.followRedirects"] == "false"
    assert options["protocol.allow"] == "never"
    assert options["protocol.https.allow"] == "always"
    assert "protocol.http.allow" not in options
    assert options["credential.helper"] == options["core.askPass"] == options["init.templateDir"] == ""
    assert options["core.hooksPath"] == "/dev/null"
    assert options["transfer.fsckObjects"] == "true"
    assert options["safe.bareRepository"] == "explicit"


def test_git_is_told_of_the_egress_proxy_and_of_no_address() -> None:
    options = recipe.config(ROUTE)

    assert options["http.proxy"] == "socks5h://127.0.0.1:1080"
    assert "http.curloptResolve" not in options


@pytest.mark.parametrize("ref", ["main", "v1.0", "feature/x", "5.2.x", "release-1", "a" * 255, "größe", "1/2/3", "x@y"])
def test_names_that_git_allows_are_allowed(ref: str) -> None:
    assert recipe.is_ref_name(ref)


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "-x",
        "--upload-pack=x",
        "a b",
        "a..b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "a\\b",
        "@",
        "a@{1}",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.",
        "a\nb",
        "a\x00",
        "a" * 257,
    ],
)
def test_names_that_git_refuses_are_refused(ref: str) -> None:
    assert not recipe.is_ref_name(ref)


@pytest.mark.parametrize(
    ("ref", "expected"), [("a" * 40, True), ("f" * 64, True), ("a" * 39, False), ("A" * 40, False), ("g" * 40, False)]
)
def test_only_a_full_lower_case_id_is_a_commit(ref: str, expected: bool) -> None:
    assert recipe.is_sha(ref) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("fatal: repository 'https://h/o/n.git/' not found", NOT_FOUND),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", NOT_FOUND),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", NOT_FOUND),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 302", MOVED),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 503", UNREACHABLE),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 429", UNREACHABLE),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", UNREACHABLE),
        ("fatal: unable to access 'https://h/': Failed to connect to h port 443", UNREACHABLE),
        ("fatal: unable to access 'https://h/broken/': Failed to connect to h", UNREACHABLE),
        ("fatal: unable to access 'https://h/certificate/': Failed to connect to h", UNREACHABLE),
        (
            "error: RPC failed; curl 18 transfer closed\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
            UNREACHABLE,
        ),
        ("error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec", ("transient", "clone_timeout")),
        ("fatal: Remote branch nope not found in upstream origin", ("permanent", "ref_not_found")),
        ("error: Server does not allow request for unadvertised object abc", ("permanent", "commit_not_offered")),
        ("fatal: remote error: upload-pack: not our ref abc", ("permanent", "commit_not_offered")),
        ("fatal: write error: No space left on device\nfatal: index-pack failed", ("resource", "disk_full")),
        ("error: file write error: File too large", ("permanent", "repository_too_large")),
        ("error: index-pack died of signal 25", ("permanent", "repository_too_large")),
        ("fatal: Out of memory, malloc failed", ("resource", "memory_limit")),
        (
            "error: object 1234567890123456789012345678901234567890: hasDotgit: contains '.git'\nfatal: fsck error",
            ("permanent", "repository_damaged"),
        ),
        ("remote: No space left on device\nfatal: repository 'x' not found", NOT_FOUND),
        ("fatal: unable to access 'https://h/': Can't complete SOCKS5 connection to h. (2)", NOT_ALLOWED),
        ("fatal: unable to access 'https://h/': cannot complete SOCKS5 connection to h. (2)", NOT_ALLOWED),
        ("fatal: unable to access 'https://h/': Can't complete SOCKS5 connection to h. (4)", UNREACHABLE),
        ("something new", ("transient", "clone_failed")),
    ],
)
def test_what_git_says_becomes_a_named_fault(said: str, expected: tuple[str, str]) -> None:
    fault = fault_of(128, said)

    assert (fault.kind, fault.code) == expected
    assert fault.message.endswith(".")
    assert "https://h" not in fault.message


def test_a_process_ended_by_a_limit_is_a_repository_that_is_too_large() -> None:
    assert fault_of(-25, "").code == "repository_too_large"
    assert fault_of(-24, "").code == "repository_too_large"


def test_a_git_that_crashed_will_crash_again_and_one_that_was_killed_may_not() -> None:
    there = "remote: fatal: unable to read 32f4\nremote: aborting due to possible repository corruption on the remote side.\n"
    told = fault_of(
        128, f"Receiving objects: 6% (27/438)\r{chr(10)}{there}fatal: early EOF\nfatal: fetch-pack: invalid output"
    )
    assert (told.kind, told.code) == UNREACHABLE
    assert "its own copy of the repository may be damaged" in told.message
    assert (fault_of(-11, "").kind, fault_of(-11, "").code) == ("permanent", "repository_damaged")
    assert (fault_of(-9, "").kind, fault_of(-9, "").code) == ("transient", "clone_failed")


def test_the_same_fault_is_a_new_exception_each_time() -> None:
    assert fault_of(1, "early EOF") is not fault_of(1, "early EOF")


def test_a_short_commit_id_is_told_to_be_given_in_full() -> None:
    assert "40 characters" in ref_not_found("2ac8988").message
    assert "40 characters" not in ref_not_found("main").message
