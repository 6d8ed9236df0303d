"""The main job on real repositories, through the API and the command line."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import golden_bundles
from tests.support.census import census, lose_vectors, read_models, spoil
from tests.support.git_server import GitServer
from tests.support.installed import Installed
from tests.support.system import System


@pytest.fixture(scope="package")
def flask(system: System, git_host: GitServer) -> dict[str, Any]:
    """Flask, refined."""
    accepted = system.analyse(git_host.url("real/flask"))
    return system.wait(accepted["analysis_id"], {"refined"}, seconds=280)


def test_flask_is_refined_with_every_stage_done_and_every_file_accounted_for(
    system: System, flask: dict[str, Any]
) -> None:
    assert flask["state"] == "refined", flask
    assert {stage["stage"]: stage["state"] for stage in flask["stages"]} == dict.fromkeys(
        ["clone", "metadata", "structure", "parse", "index", "embed", "activate", "refine", "promote", "link"],
        "completed",
    )
    assert len(flask["commit"]) == 40
    assert flask["languages"]["python"] > 70
    assert flask["metadata"]["readme_found"] is True
    assert not flask["failed"]

    counts = census(system.database_url, system.chroma_url, flask["analysis_id"])
    assert counts["chunks"][0] > 500
    assert counts["vectors"]["full"] == (counts["chunks"][0], counts["chunks"][0])
    assert all(n == 1 for n in counts["events"].values()), counts["events"]


def test_its_read_models_are_built_again_byte_for_byte(system: System, flask: dict[str, Any]) -> None:
    before = read_models(system.database_url)
    assert before["part_symbols"][0] > 1_000
    looked = system.run("rebuild", "read-models", "--check", "--json")
    assert looked.returncode == 0, looked.stdout
    rows = {t["table"]: t["rebuilt"] for p in json.loads(looked.stdout)["projections"] for t in p["tables"]}
    assert rows == {table: count for table, (count, _) in before.items()}

    spoil(
        system.database_url,
        "DELETE FROM app.part_edges",
        "UPDATE app.part_symbols SET name = 'wrong'",
        "DELETE FROM app.loaded",
    )
    spoilt = system.run("rebuild", "read-models", "--check")
    assert spoilt.returncode == 1
    assert "Put it right with `repostream rebuild read-models`" in spoilt.stdout
    doctor = {each["name"]: each for each in json.loads(system.run("doctor", "--json").stdout)}
    assert doctor["read models"]["detail"].endswith("Run `repostream rebuild read-models`.")
    again = system.run("rebuild", "read-models")
    assert again.returncode == 0, again.stdout
    assert read_models(system.database_url) == before
    assert "Every row was what the log says." in system.run("rebuild", "read-models", "--check").stdout


def test_its_vectors_are_built_again_by_command_without_embedding(system: System, flask: dict[str, Any]) -> None:
    analysis_id, question = flask["analysis_id"], "Where is the secret key used to sign the session?"
    before = census(system.database_url, system.chroma_url, analysis_id)
    lost = lose_vectors(system.database_url, system.chroma_url, analysis_id)
    found = json.loads(system.run("search", flask["repository_id"], question, "--json").stdout)

    done = system.run("rebuild", "collection", flask["repository_id"], "--json")
    again = json.loads(system.run("search", flask["repository_id"], question, "--json").stdout)

    assert lost.startswith("rs-")
    assert found["degraded"] == "vectors_missing"
    assert done.returncode == 0, done.stderr
    after = json.loads(done.stdout)["after"]
    assert after["held"] == after["vectors"] == before["vectors"]["full"][0]
    assert after["checksum"] == after["held_checksum"]
    assert again["degraded"] is None
    assert {"dense", "lexical"} <= {step["retriever"] for step in again["plan"]}
    assert system.run("rebuild", "collection", analysis_id, "--check").returncode == 0
    assert census(system.database_url, system.chroma_url, analysis_id)["events"] == before["events"]


def test_the_present_code_finds_and_answers_the_same_beside(system: System, flask: dict[str, Any]) -> None:
    analysis_id, question = flask["analysis_id"], "Where is the secret key used to sign the session?"
    asked = system.ask(flask["repository_id"], question)
    before = census(system.database_url, system.chroma_url, analysis_id)

    shadows = {
        stage: json.loads(system.run("shadow", "run", analysis_id, "--stage", stage, "--json").stdout)
        for stage in ("index", "answer")
    }

    index, answers = (shadows[stage]["report"] for stage in ("index", "answer"))
    assert index["index"]["vectors"] == before["vectors"]["full"][0]
    assert (index["index"]["generation_kind"], index["index"]["not_recorded"]) == ("full", 0)
    [searched] = [one for one in index["searches"] if one["question_id"] == asked["question_id"]]
    assert (searched["moved"], searched["gained"], searched["lost"]) == (0, 0, 0)
    assert searched["same"] == len(searched["passages"]) > 0
    [again] = [one for one in answers["answers"] if one["question_id"] == asked["question_id"]]
    assert (again["before"]["answer"], again["changed"], again["code"]) == (asked["answer"], [], None)
    assert again["after"]["citations"]
    assert census(system.database_url, system.chroma_url, analysis_id) == before
    found = [system.run("search", flask["repository_id"], question, "--json").stdout]
    promoted = system.run("shadow", "promote", shadows["index"]["shadow_id"], "--yes")
    assert promoted.returncode == 0, promoted.stderr
    found.append(system.run("search", flask["repository_id"], question, "--json").stdout)
    assert json.loads(found[0])["passages"] == json.loads(found[1])["passages"] != []
    assert system.run("rebuild", "read-models", "--check").returncode == 0
    for shadow in shadows.values():
        assert system.client.delete(f"/shadows/{shadow['shadow_id']}").is_success


def test_it_is_taken_over_elsewhere_from_one_file_and_answers_the_same(
    system: System, flask: dict[str, Any], git_host: GitServer, tmp_path: Path, installed: Installed
) -> None:
    file, question = tmp_path / "flask.zip", "How does Flask register a blueprint on an application?"
    before, asked = system.ask(flask["repository_id"], question), len(git_host.requests)
    talk = before["conversation_id"]
    exported = system.run("bundle", "export", f"conversation/{talk}", str(file), "--with-analysis")
    assert exported.returncode == 0, exported.stderr
    with System(installed.copy_to(tmp_path / "home")) as other:
        taken = [json.loads(other.run("bundle", "import", str(file), "--json").stdout) for _ in range(2)]
        assert taken[0] == taken[1]
        assert taken[0]["from_conversation_id"] == talk
        view = other.wait(taken[0]["analysis_id"], {"refined"}, seconds=280)
        after = other.ask(taken[0]["repository_id"], question)
        [kept] = other.conversation(taken[0]["conversation_id"])["questions"]
        history = other.history(taken[0]["analysis_id"])
        lines = [other.cited(kept["analysis_id"], citation) for citation in kept["citations"]]
        for golden in golden_bundles.all_paths():
            _takes_over(other, golden)

    same = ("state", "commit", "name", "url", "partial", "skipped", "failed", "languages", "metadata")
    assert {name: view[name] for name in same} == {name: flask[name] for name in same}
    assert view["analysis_id"] != flask["analysis_id"]
    assert flask["totals"].items() <= view["totals"].items()  # what came after it was ready counts here, too
    assert _said(after) == _said(before)
    elsewhere = {name: taken[0][name] for name in ("conversation_id", "repository_id", "analysis_id")}
    assert kept == before | elsewhere | {"question_id": kept["question_id"]}
    assert lines == [system.cited(flask["analysis_id"], citation) for citation in before["citations"]]
    assert all(lines)
    assert len(git_host.requests) == asked  # nobody was asked for the repository
    [arrived] = [event for event in history if event["event_type"] == "repository.processing.imported"]
    started = [event for event in history if event["event_type"] == "processing.stage.started"]
    here = [event["stage"] for event in started if _at(event) > _at(arrived)]
    assert {"clone", "parse"} < {event["stage"] for event in started}  # as they began elsewhere
    assert sorted(here) == ["activate", "index", "promote"]  # nothing was read or embedded again


def _at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    """What an answer says, and what it rests on."""
    told = ("answer", "mode", "commit", "refused", "generation_kind")
    places = {name: [(each["path"], each["first_line"]) for each in answer[name]] for name in ("passages", "citations")}
    return {name: answer[name] for name in told} | places


def _takes_over(other: System, golden: Path) -> None:
    """A golden bundle comes to the same state as it did where it was made, and answers the same there and here."""
    meant, questions = golden_bundles.state(golden), golden_bundles.answers()
    taken = json.loads(other.run("bundle", "import", str(golden), "--json").stdout)
    view = other.wait(taken["analysis_id"], {"refined"})
    assert {name: view[name] for name in meant} == meant, golden
    found = [other.ask(taken["repository_id"], question["query"]) for question in questions[:1]]
    if taken["conversation_id"] is not None:
        kept = other.conversation(taken["conversation_id"])["questions"]
        assert [_said(each) for each in kept] == [_said(each) for each in questions]
        found += [other.answer(other.client.post(f"/questions/{kept[0]['question_id']}/again", json={}).json())]
    for answer in found:
        assert _said(answer) == _said(questions[0]), golden


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("How does Flask register a blueprint on an application?", "src/flask/sansio/blueprints.py"),
        ("Where is the session cookie signed and loaded?", "src/flask/sessions.py"),
        ("How are command line commands discovered and the app loaded?", "src/flask/cli.py"),
        ("How does url_for build a URL?", "src/flask/app.py"),
    ],
)
def test_a_question_finds_the_right_file_and_cites_lines_that_are_there(
    system: System, flask: dict[str, Any], question: str, path: str
) -> None:
    answer = system.ask(flask["repository_id"], question)

    assert answer["state"] == "answered", answer
    assert answer["mode"] == "extractive"
    assert answer["commit"] == flask["commit"]
    assert path in [passage["path"] for passage in answer["passages"]]
    assert answer["citations"]
    for citation in answer["citations"]:
        span = {"path": citation["path"], "first": citation["first_line"], "last": citation["last_line"]}
        lines = system.client.get(f"/analyses/{flask['analysis_id']}/lines", params=span).json()
        assert lines["last_line"] == citation["last_line"], lines
        assert lines["text"].count("\n") <= citation["last_line"] - citation["first_line"] + 1


def test_a_project_of_three_languages_is_read_in_all_of_them(system: System, git_host: GitServer) -> None:
    accepted = system.analyse(git_host.url("real/jpype1"))
    view = system.wait(accepted["analysis_id"], {"ready", "refined"}, seconds=280)

    assert view["state"] in {"ready", "refined"}, view
    assert {"python", "java", "cpp"} <= set(view["languages"])
    for name, path in (("JPypeContext", ".java"), ("JPClass", ".cpp")):
        found = system.client.get(f"/analyses/{view['analysis_id']}/symbols", params={"name": name}).json()
        assert any(symbol["path"].endswith((path, ".h")) for symbol in found["items"]), found
    system.client.post(
        f"/analyses/{view['analysis_id']}/cancel"
    ).raise_for_status()  # minutes of refining nobody waits for


def test_what_became_of_each_file_is_told_by_api_and_command_line(system: System, git_host: GitServer) -> None:
    accepted = system.analyse(git_host.url("odd/mixed"))
    view = system.wait(accepted["analysis_id"], {"ready", "refined"}, seconds=60)

    assert view["outcomes"] == {"parsed": 2, "parsed.syntax_errors": 1, "lines.no_grammar": 1}
    assert (view["skipped"], view["failed"], view["damaged"]) == ({"binary": 1}, {}, [])
    assert view["head"]["ref"] == view["head"]["default_branch"] == "main"
    assert view["head"]["subject"]
    page = system.client.get(f"/analyses/{view['analysis_id']}/files", params={"reason": "syntax_errors"}).json()
    assert [(file["path"], file["outcome"]) for file in page["items"]] == [("broken.py", "parsed")]

    spoken = system.run("status", git_host.url("odd/mixed"))
    assert spoken.returncode == 0, spoken.stderr
    assert f"Commit {view['commit'][:10]} (main, " in spoken.stdout
    assert "Parsed: 2 (1 with syntax errors); as plain text: no_grammar 1" in spoken.stdout
    assert spoken.stdout.index("syntax_errors (1)") < spoken.stdout.index("    broken.py")
    assert "    logo.png" in spoken.stdout


@pytest.mark.parametrize(
    ("url", "ref", "code"),
    [
        ("odd/empty", None, "repository_empty"),
        ("odd/binary", None, "no_text_files"),
        ("odd/nowhere", None, "repository_not_found"),
        ("odd/private", None, "repository_not_found"),
        ("real/flask", "no-such-branch", "ref_not_found"),
    ],
)
def test_what_cannot_be_analysed_fails_by_name_on_api_and_command_line(
    system: System, git_host: GitServer, url: str, ref: str | None, code: str
) -> None:
    accepted = system.analyse(git_host.url(url), ref)
    view = system.wait(accepted["analysis_id"], seconds=60)

    assert (view["state"], view["code"]) == ("failed", code)
    assert view["message"].endswith(".")
    assert "Traceback" not in view["message"]

    spoken = system.run("analyze", git_host.url(url), *(["--ref", ref] if ref else []), "--json")
    if code == "no_text_files":  # what no host can say beforehand
        assert spoken.returncode == 1, spoken.stderr
        assert json.loads(spoken.stdout)["analysis"]["code"] == code
    else:
        assert (spoken.returncode, spoken.stdout) == (2, "")
        assert f"{code}: " in spoken.stderr


@pytest.mark.parametrize(
    ("url", "ref", "code"),
    [
        ("not a url", None, "bad_url"),
        ("file:///etc/passwd", None, "bad_url"),
        ("ext::sh -c id", None, "bad_url"),
        ("https://evil.example/a/b", None, "host_not_allowed"),
        ("https://me:secret@github.com/a/b", None, "credentials_in_url"),
        ("https://github.com/a/b", "--upload-pack=id", "bad_ref"),
    ],
)
def test_what_may_not_be_read_is_refused_before_anything_happens(
    system: System, url: str, ref: str | None, code: str
) -> None:
    reply = system.client.post("/analyses", json={"url": url, "ref": ref})

    assert reply.status_code == 422
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert reply.json()["code"] == code
    assert "secret" not in reply.text

    spoken = system.run("analyze", *([f"--ref={ref}"] if ref else []), "--", url)
    assert spoken.returncode == 2
    assert f"{code}: {reply.json()['detail']}" in " ".join(spoken.stderr.split())
    assert "secret" not in spoken.stdout + spoken.stderr


def test_the_command_line_analyses_and_answers(system: System, git_host: GitServer, flask: dict[str, Any]) -> None:
    spoken = system.run("analyze", git_host.url("real/flask"), "--ask", "How does url_for build a URL?")

    assert spoken.returncode == 0, spoken.stderr
    assert "src/flask/app.py:" in spoken.stdout


def test_doctor_finds_nothing_wrong(system: System, flask: dict[str, Any]) -> None:
    spoken = system.run("doctor")

    assert spoken.returncode == 0, spoken.stdout + spoken.stderr
