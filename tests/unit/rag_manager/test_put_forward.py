"""What a question asks for outright comes first, and the plan says which retriever found it."""

from dataclasses import replace

from rag_manager.stages.catalogue import Catalogue, ChunkPlace, make_catalogue
from rag_manager.stages.follow_relation import Edge
from rag_manager.stages.put_forward import put_forward, words_looked_for
from rag_manager.stages.rank import Rankings, rank
from rag_manager.stages.read_question import read_question

PLACES = [
    ("src/send.py", "code", 1, 20),
    ("src/session.py", "code", 1, 20),
    ("src/session.py", "code", 21, 40),
    ("tests/test_send.py", "test", 1, 30),
    ("settings.toml", "config", 1, 9),
    ("src/other.py", "code", 1, 9),
]


def a_catalogue() -> Catalogue:
    places = [ChunkPlace(f"c{n}", *place) for n, place in enumerate(PLACES)]
    return make_catalogue(places, [("send", "function", "src/send.py", 4, 9)])


def an_edge(path: str, line: int, **more: object) -> Edge:
    given = {
        "kind": "call",
        "incoming": True,
        "target_path": "src/send.py",
        "target_line": 4,
        "confidence": 0.95,
        **more,
    }
    return Edge(path=path, line=line, **given)  # type: ignore[arg-type]  # as given


def test_callers_come_first_the_sure_ones_before_others_and_tests_last() -> None:
    question, catalogue = read_question("Who calls send?"), a_catalogue()
    edges = [
        an_edge("tests/test_send.py", 3),
        an_edge("src/session.py", 5, confidence=0.5),
        an_edge("src/session.py", 25),
        an_edge("gone.py", 1),
        an_edge("src/other.py", 2, incoming=False),
        an_edge("src/other.py", 2, kind="inherit"),
    ]

    forward = put_forward(question, {}, edges, catalogue)
    ranked = rank(question, Rankings([5, 0], forward=forward), catalogue, limit=8)

    assert [item.chunk for item in ranked.passages][:4] == [2, 1, 3, 0]
    assert ranked.passages[0].ranks == {"graph": 1}
    assert (ranked.plan[0].retriever, ranked.plan[0].found, ranked.plan[0].about) == ("graph", 3, "callers of send")
    assert [item.score for item in ranked.passages] == sorted((i.score for i in ranked.passages), reverse=True)


def test_where_something_is_used_has_calls_names_heirs_and_imports() -> None:
    kinds = ("use", "inherit", "import")
    edges = [
        an_edge(path, line, kind=kind)
        for kind, (path, line) in zip(
            kinds, [("src/session.py", 5), ("src/session.py", 25), ("src/other.py", 2)], strict=True
        )
    ]

    [used] = put_forward(read_question("where is send used?"), {}, edges, a_catalogue())
    [called] = put_forward(read_question("who calls send?"), {}, edges[:1], a_catalogue())

    assert ({chunk for chunk, _ in used.found}, used.about) == ({1, 2, 5}, "uses of send")
    assert [chunk for chunk, _ in called.found] == [1]  # a callback is handed on, and called by nobody


def test_the_plan_says_that_a_graph_was_not_made_yet() -> None:
    question, catalogue = read_question("who calls send?"), a_catalogue()
    forward = [replace(each, absent=True) for each in put_forward(question, {}, [], catalogue)]

    plan = rank(question, Rankings([5], forward=forward), catalogue, limit=3).plan

    assert [(step.retriever, step.absent) for step in plan][:2] == [("graph", True), ("lexical", False)]


def test_what_somebody_calls_is_where_it_is_defined() -> None:
    edges = [an_edge("src/session.py", 5, incoming=False), an_edge("tests/test_send.py", 1)]

    [forward] = put_forward(read_question("what does open call?"), {}, edges, a_catalogue())

    assert [chunk for chunk, _ in forward.found] == [0]


def test_a_class_that_nobody_calls_is_used_by_those_who_inherit_from_it() -> None:
    edges = [an_edge("src/other.py", 2, kind="inherit")]

    [forward] = put_forward(read_question("who uses Sender?"), {}, edges, a_catalogue())

    assert [chunk for chunk, _ in forward.found] == [5]


def test_others_keep_a_quarter_of_the_places() -> None:
    question, catalogue = read_question("who calls send?"), a_catalogue()
    edges = [
        an_edge("src/session.py", 5),
        an_edge("src/session.py", 25),
        an_edge("src/other.py", 2),
        an_edge("src/send.py", 9),
    ]

    ranked = rank(question, Rankings([4], forward=put_forward(question, {}, edges, catalogue)), catalogue, limit=4)

    assert [item.chunk for item in ranked.passages] == [0, 1, 2, 4]


def test_the_text_that_tells_a_message_comes_first() -> None:
    question, catalogue = read_question('why "the key has expired for bob"?'), a_catalogue()
    texts = {3: 'fail("the key has expired for x")', 5: "key", 1: 'f"the key has expired for {who}"'}

    forward = put_forward(question, texts, [], catalogue)
    ranked = rank(question, Rankings([5, 3, 1], forward=forward), catalogue, limit=3)

    assert words_looked_for(question) == "the key has expired for bob"
    assert [item.chunk for item in ranked.passages] == [1, 3, 5]
    assert (ranked.plan[0].retriever, ranked.plan[0].found) == ("exact", 2)


def test_a_report_puts_forward_what_one_working_file_alone_has() -> None:
    question, catalogue = read_question('It fails\n\nI get "the key has expired for bob".'), a_catalogue()
    one = {3: 'fail("the key has expired for x")', 2: 'f"the key has expired for {who}"', 5: "key"}
    two = one | {5: "the key has expired for you"}

    [alone] = put_forward(question, one, [], catalogue)
    [either] = put_forward(question, two, [], catalogue)
    [asked] = put_forward(read_question('why "the key has expired for bob"?'), two, [], catalogue)

    assert [chunk for chunk, _ in alone.found] == [2]
    assert either.found == []
    assert {chunk for chunk, _ in asked.found} == {2, 3, 5}


def test_a_setting_is_looked_for_in_configuration_first() -> None:
    question = read_question("where is timeout configured?")

    [forward] = put_forward(question, {5: "timeout = 3", 4: "timeout = 5", 0: "print(timeout)"}, [], a_catalogue())

    assert words_looked_for(question) == "timeout"
    assert forward.found == [(4, 1.0), (5, 0.9)]


def test_nothing_is_put_forward_for_other_questions() -> None:
    question = read_question("how are sessions opened")

    assert words_looked_for(question) is None
    assert put_forward(question, {}, [], a_catalogue()) == ()
