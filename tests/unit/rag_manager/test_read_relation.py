"""What a question asks of the graph, told by its words alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.read_relation import RelationKind, read_relation

ASKED = {
    "Who calls Session.send?": (RelationKind.CALLERS, "Session.send"),
    "who calls the function make_response in this repository?": (RelationKind.CALLERS, "make_response"),
    "Where is `url_for()` used?": (RelationKind.USES, "url_for"),
    "who uses Session?": (RelationKind.USES, "Session"),
    "find all references of `HTTPError`": (RelationKind.USES, "HTTPError"),
    "callers of Gson.fromJson": (RelationKind.CALLERS, "Gson.fromJson"),
    "Which tests call fmt::format": (RelationKind.CALLERS, "fmt::format"),
    "What functions does dispatch_request call?": (RelationKind.CALLEES, "dispatch_request"),
    "what does `Router.match()` depend on?": (RelationKind.DEPENDS, "Router.match"),
    "Which classes inherit from BaseAdapter?": (RelationKind.HEIRS, "BaseAdapter"),
    "what are the subclasses of TypeAdapter": (RelationKind.HEIRS, "TypeAdapter"),
    "What does HTTPAdapter inherit from?": (RelationKind.BASES, "HTTPAdapter"),
    "who imports src/flask/helpers.py?": (RelationKind.IMPORTERS, "src/flask/helpers.py"),
    "What depends on click?": (RelationKind.IMPORTERS, "click"),
    "What does flask.app import?": (RelationKind.IMPORTS, "flask.app"),
    "where is SECRET_KEY configured?": (RelationKind.CONFIGURED, "SECRET_KEY"),
    "How do I configure logging?": (RelationKind.CONFIGURED, "logging"),
}
NOT_ASKED = (
    *("How does flask call views?", "What uses the blueprint system for routing?", "Router", "How are cookies set?"),
    *("What does the config loader use to read files", "Where is the session opened and who closes it?", "", "Who?"),
)


@pytest.mark.parametrize("text", ASKED)
def test_a_relation_is_read_with_the_name_it_is_asked_of(text: str) -> None:
    relation = read_relation(text)

    assert relation is not None
    assert (relation.kind, relation.name) == ASKED[text]


@pytest.mark.parametrize("text", NOT_ASKED)
def test_other_questions_ask_for_none(text: str) -> None:
    assert read_relation(text) is None


def test_a_name_has_its_last_part_and_its_owner_and_a_path_stays_whole() -> None:
    method, path = read_relation("who calls Session.send"), read_relation("who imports src/a.py")

    assert method is not None
    assert path is not None
    assert (method.last, method.owner) == ("send", "session")
    assert (path.last, path.owner) == ("src/a.py", "")


@given(st.text(alphabet="who calls the.x/`'?_ \n", max_size=8_000))
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    read_relation("who calls " + text)

    assert time.process_time() - began < 0.5
