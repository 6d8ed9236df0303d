"""Answers without a model: what is quoted of a passage, what the graph knows, what stands beside the best place."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_engine.stages.check_citations import check_citations
from ai_engine.stages.extract_answer import extract_answer
from ai_engine.stages.quote_passage import LEFT_OUT, quote_passage, said_of_it
from ai_engine.stages.tell_relation import tell_relation
from events.question import Citation, Passage, PlanStep


def a_passage(text: str, path: str = "src/app.py", first: int = 10, **more: object) -> Passage:
    last = first + text.count("\n")
    return Passage(chunk_id=f"{path}:{first}", path=path, first_line=first, last_line=last, text=text, **more)


def beside(text: str, of: Passage, relation: str, path: str = "src/use.py", **more: object) -> Passage:
    at = Citation(path=of.path, first_line=of.first_line, last_line=of.last_line)
    return a_passage(text, path, 1, neighbour_of=at, relation=relation, **more)


def asked_of_the_graph(about: str, found: int = 1, **more: object) -> PlanStep:
    return PlanStep(retriever="graph", found=found, about=about, **more)


FILLER = "\n".join(f"    filler({n})" for n in range(40))
LONG = f'''def dispatch(self, request):
    """Find the handler.

    :param request: it
    """
{FILLER}
    self.router.match(request)
    return 1'''


class TestQuotePassage:
    def test_the_window_holds_most_of_the_terms(self) -> None:
        text = "\n".join("the router dispatches" if n == 40 else "filler" for n in range(1, 61))

        quoted = quote_passage(a_passage(text, first=101), ("router", "dispatches"), 14)

        assert quoted.first <= 140 <= quoted.last
        assert len(quoted.lines) == 14

    def test_a_definition_keeps_how_it_begins_where_the_terms_are_far_below(self) -> None:
        quoted = quote_passage(a_passage(LONG, symbols=("dispatch",)), ("router", "match"), 6)

        assert quoted.lines[0] == "def dispatch(self, request):"
        assert quoted.lines[1] == f"    {LEFT_OUT}"
        assert "    self.router.match(request)" in quoted.lines
        assert (quoted.first, len(quoted.lines)) == (10, 6)

    def test_a_short_definition_is_quoted_whole(self) -> None:
        text = "def f(x):\n    return g(x)"

        assert quote_passage(a_passage(text, symbols=("f",)), ("g",), 10).lines == tuple(text.split("\n"))

    def test_a_line_that_is_written_for_machines_takes_no_time(self) -> None:
        names = tuple(f"f{n}" for n in range(50))
        text = f"{' '.join(names)} {'const ' * 40_000}{' '.join(names)}"
        began = time.process_time()

        quoted = quote_passage(a_passage(text, symbols=names), ("f",), 10)

        assert quoted.lines == (text,)
        assert time.process_time() - began < 2

    @given(
        st.lists(
            st.sampled_from(["", "def f():", "  # why", "@wraps(f)", '  """It."""', "  return 1", "router"]),
            min_size=1,
            max_size=60,
        ),
        st.integers(1, 500),
        st.integers(1, 30),
        st.booleans(),
    )
    def test_what_is_quoted_are_the_exact_lines_and_their_numbers(
        self, source: list[str], at: int, most: int, defines: bool
    ) -> None:
        passage = a_passage("\n".join(source), first=at, symbols=("f",) if defines else ())

        quoted = quote_passage(passage, ("router",), most)

        kept = [n for n in range(quoted.first, quoted.last + 1) if n not in quoted.left_out]
        assert [line for line in quoted.lines if line.strip() != LEFT_OUT] == [source[n - at] for n in kept]
        assert (LEFT_OUT in "".join(quoted.lines)) == bool(quoted.left_out)
        assert quoted.lines


class TestSaidOfIt:
    @staticmethod
    def said(text: str, *names: str) -> tuple[int, int, tuple[str, ...]] | None:
        """What is said of a definition whose head and last line are quoted."""
        passage = a_passage(
            f"{text}\n" + "\n".join(f"    filler({n})" for n in range(9)) + "\n    end()", symbols=names
        )
        found = said_of_it(passage, quote_passage(passage, ("end",), 3))
        return found and (found.first, found.last, found.lines)

    @pytest.mark.parametrize(
        ("text", "first", "last", "said"),
        [
            ('def f(x):\n    """Find it.\n\n    More."""', 11, 11, ("Find it.",)),
            ('def f(x):\n    """\n    Find it\n    soon.\n    :param x: what\n    """', 12, 13, ("Find it", "soon.")),
            ("// Runs the handlers\n// in order.\nfunc (c *Context) f() {", 10, 11, ("Runs the handlers", "in order.")),
            ("/**\n * Adds a route.\n * @param path where\n */\nf(path: string) {", 11, 11, ("Adds a route.",)),
            ("/// A set.\n#[derive(Clone)]\npub struct f {", 10, 10, ("A set.",)),
            ("def f(\n" + "    x,\n" * 8 + ') -> int:\n    """Sum them."""', 20, 20, ("Sum them.",)),
            ("# Runs it.\ndef f(x)", 10, 10, ("Runs it.",)),
            ("x = f(1)\n\n# Runs it.\ndef f(x)", 12, 12, ("Runs it.",)),
            ('def f():\n    """' + "\n    ".join("abcdef") + '"""', 11, 14, ("a", "b", "c", f"d {LEFT_OUT}")),
        ],
    )
    def test_docstrings_and_comments_without_their_marks(
        self, text: str, first: int, last: int, said: tuple[str, ...]
    ) -> None:
        assert self.said(text, "f") == (first, last, said)

    @pytest.mark.parametrize(
        "text",
        ["def f(x):\n    return x", "// Copyright 2020 Somebody\nfunc f() {", "# noqa: D103\ndef f(x):", "// only f"],
    )
    def test_notices_and_marks_for_tools_are_nothing_that_is_said(self, text: str) -> None:
        assert self.said(text, "f") is None

    def test_what_defines_nothing_says_nothing_of_itself(self) -> None:
        assert self.said("# A heading.\nx = 1") is None

    def test_of_several_definitions_the_one_around_the_window_is_quoted(self) -> None:
        text = 'def f(x):\n    """Find it."""\n    return 1\n\ndef g(x):\n    """Lose it."""\n    return f(x)'

        assert self.said(text, "f", "g") == (15, 15, ("Lose it.",))


class TestTellRelation:
    def test_each_place_of_the_graph_is_a_line_with_the_line_that_has_the_name(self) -> None:
        hit = a_passage("def view():\n    return dispatch(1)", symbols=("view",), ranks={"graph": 1})

        told = tell_relation([hit], [asked_of_the_graph("callers of App.dispatch")])

        assert told == "`App.dispatch` is called or used here:\n\n- [src/app.py:11-11] in `view`: `return dispatch(1)`"

    def test_what_it_leads_to_is_told_by_its_place(self) -> None:
        hit = a_passage("def send():\n    pass", symbols=("send",), ranks={"graph": 1})

        told = tell_relation([hit], [asked_of_the_graph("callees of dispatch")])

        assert told.endswith("- [src/app.py:10-11] defines `send`")

    @pytest.mark.parametrize(
        "step",
        [
            [],
            [asked_of_the_graph("callers of f", absent=True)],
            [PlanStep(retriever="exact", found=1, about="where x is set")],
        ],
    )
    def test_nothing_is_told_of_what_was_not_asked_or_is_not_made_yet(self, step: list[PlanStep]) -> None:
        assert tell_relation([a_passage("x", ranks={"graph": 1})], step) == ""

    def test_that_it_knows_nothing_is_said(self) -> None:
        told = tell_relation([a_passage("x")], [asked_of_the_graph("callers of lonely", 0)])

        assert told == "The graph knows nothing that calls `lonely`."

    def test_the_answer_has_the_relation_first_and_little_besides(self) -> None:
        callers = [a_passage(f"f({n})", f"src/{n}.py", ranks={"graph": n + 1}) for n in range(3)]
        others = [a_passage("def f(x):", f"src/other{n}.py", ranks={"lexical": n + 1}) for n in range(4)]

        answer = extract_answer("who calls f?", [*callers, *others], None, [asked_of_the_graph("callers of f", 3)])

        assert [answer.count(f"src/{n}.py") for n in range(3)] == [1, 1, 1]
        assert answer.index("src/2.py") < answer.index("src/other0.py")
        assert "src/other2.py" not in answer

    def test_a_relation_alone_ends_without_an_empty_list(self) -> None:
        answer = extract_answer(
            "who calls f?", [a_passage("f(1)", ranks={"graph": 1})], None, [asked_of_the_graph("callers of f")]
        )

        assert answer.endswith("- [src/app.py:10-10]: `f(1)`")


class TestTheBestPlace:
    def test_what_it_says_of_itself_is_quoted_where_its_lines_do_not_show_it(self) -> None:
        answer = extract_answer("what does router match?", [a_passage(LONG, symbols=("dispatch",))], None)

        assert "It says of itself [src/app.py:11-11]:\n\n> Find the handler." in answer

    def test_what_its_lines_show_is_not_quoted_twice(self) -> None:
        text = 'def f(router):\n    """Find it."""\n    return router'

        assert extract_answer("router", [a_passage(text, symbols=("f",))], None).count("Find it.") == 1

    def test_who_calls_it_and_what_it_is_part_of_stand_beside_it_alone(self) -> None:
        best, other = a_passage("def f(router):", symbols=("f",)), a_passage("router", "src/z.py")
        near = [
            beside("def view():", best, "caller", symbols=("view",)),
            beside("class App:", best, "type", "src/app.py", symbols=("App",)),
            beside("import os", best, "imports"),
            beside("def g():", other, "caller", symbols=("g",)),
        ]

        answer = extract_answer("router", [best, other, *near], None)

        assert "Called in `view` [src/use.py:1-1]. Part of `App` [src/app.py:1-1]." in answer
        assert "`g`" not in answer
        assert "import os" not in answer

    def test_every_citation_and_quotation_stands(self) -> None:
        best = a_passage(LONG, symbols=("dispatch",))
        given = [best, a_passage("x = router", "docs/a`b.md"), beside("def view():", best, "caller")]

        checked = check_citations(
            extract_answer("what does router match?", given, None),
            given,
            {p.path: p.last_line for p in given},
        )

        assert (checked.removed, checked.removed_quotes) == (0, 0)
        assert len(checked.citations) == 4
