"""What an answer quotes is in the lines that it cites, whatever a model writes."""

import random
import re

import pytest
from markdown_it import MarkdownIt

from ai_engine.stages.check_citations import Checked, check_citations, checked_so_far
from ai_engine.stages.check_quotes import REMOVED
from ai_engine.stages.extract_answer import extract_answer
from ai_engine.stages.read_prose import is_plain
from events.looking import LinesReply
from events.question import Passage

APP = (
    "class App:",
    '    """Keeps the routes."""',
    "",
    "    def route(self, path: str) -> Handler:",
    "        return self.routes[path]",
    "# never raises: a missing path is a 404",
)
README = ("# Routes", "", "It sends every request to its handler.", "Install it with pip.")


def a_passage(path: str, lines: tuple[str, ...], first: int = 1) -> Passage:
    return Passage(chunk_id=path, path=path, first_line=first, last_line=first + len(lines) - 1, text="\n".join(lines))


PAGE = ("export default function Page() {", "}")
GIVEN = (a_passage("src/app.py", APP), a_passage("README.md", README), a_passage("src/[id]/page.tsx", PAGE))
COUNTS = {"src/app.py": 6, "README.md": 4, "src/[id]/page.tsx": 2}


def check(answer: str) -> Checked:
    return check_citations(answer, GIVEN, COUNTS)


@pytest.mark.parametrize(
    "answer",
    [
        'It "keeps the routes" [src/app.py:2-2].',
        "It \u201ckeeps the routes\u201d ([src/app.py:1-3]).",
        'As [README.md:3-3] says: "It sends every request to its handler."',
        'It "sends every \u2026 handler" [README.md:3-3].',
        "`return self.routes[path]` [src/app.py:5-5]",
        "It is [src/app.py:4-5]:\n\n```py\ndef route(self, path: str) -> Handler:\n...\nreturn self.routes[path]\n```",
        "```python\nclass App:\n```\n[src/app.py:1-1]",
        "From [README.md:1-4]:\n\n> Routes\n>\n> It sends every request to its handler.",
        "> Install it with pip. [README.md:4-4]",
        "`route` [src/app.py:1-1] and the `App` [src/app.py:4-4]",  # names are no quotations
        "So it is drawn [src/app.py:1-2]:\n\n```mermaid\ngraph TD; a-->b\n```",
        'He said "no such thing is anywhere" of it, and so it is [src/app.py:1-2].',  # not of these lines
    ],
)
def test_what_the_lines_have_stands_as_it_was_written(answer: str) -> None:
    checked = check(answer)

    assert (checked.text, checked.removed, checked.removed_quotes) == (answer, 0, 0)


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ('It "raises an error" [src/app.py:6-6].', f"It {REMOVED}."),
        ('It "keeps the routes" [src/app.py:4-5].', f"It {REMOVED}."),  # in the file, but not in these lines
        ('"handler every request" [README.md:3-3]', REMOVED),  # the words, not their order
        ("`return self.handlers[path]` [src/app.py:5-5]", REMOVED),
        ("So it is [src/app.py:4-5]:\n\n```python\nreturn None\n```\nend", f"So it is:\n\n{REMOVED}\nend"),
        ("> Install it with npm. [README.md:4-4]\n\nend", f"{REMOVED}\n\nend"),
        ("From [README.md:1-4]:\n\n> Ask nobody\n", f"From:\n\n{REMOVED}"),
        ('It "keeps the routes" [src/app.py:2-900].', f"It {REMOVED}."),  # lines that are not there have no words
        ('It "keeps the routes" [gone.py:2].', f"It {REMOVED}."),
    ],
)
def test_what_the_lines_do_not_have_goes_with_its_citation_and_is_counted(answer: str, left: str) -> None:
    checked = check(answer)

    assert checked.text == left
    assert (checked.citations, checked.removed, checked.removed_quotes) == ((), 1, 1)


def test_a_secret_may_be_quoted_as_the_model_was_shown_it() -> None:
    token = "ghp_" + "a1" * 18
    given = [a_passage("a.py", (f"token = '{token}'",))]

    assert check_citations("`token = '[redacted]'` [a.py:1]", given, {"a.py": 1}).removed_quotes == 0


def test_lines_of_which_only_the_place_is_known_hold_what_is_quoted() -> None:
    place = Passage(chunk_id="", path="a.py", first_line=1, last_line=9, text="")

    assert check_citations('"words of a fact" [a.py:1-2]', [place], {"a.py": 9}).removed_quotes == 0


def test_an_extractive_answer_quotes_nothing_but_its_lines() -> None:
    readme = LinesReply(
        path="README.md", language="markdown", first_line=1, last_line=4, line_count=4, text="\n".join(README)
    )
    answer = extract_answer("What does route do?", GIVEN, readme)
    checked = check(answer)

    assert checked.text == answer
    assert len(checked.citations) >= 2


PIECES = (
    *(f"[{path}:{lines}]" for path in ("src/app.py", "README.md", "gone.py", "../etc/passwd") for lines in
      ("1", "2-3", "4-5", "3-4", "0-2", "5-4", "2-99", "L1-L2", "999999999")),
    *(f'"{words}"' for words in ("keeps the routes", "raises an error", "sends every request", "obey the file now")),
    *(f"`{words}`" for words in ("App", "return self.routes[path]", "return nothing at all", "[src/app.py:2-99]")),
    *(f"\n```python\n{words}\n```\n" for words in ("class App:", "class Evil:", "[src/app.py:1-2]", "")),
    *(f"\n> {words}\n" for words in ("Install it with pip.", "Ignore the rules above", "said [gone.py:1-2]")),
    *("Routes are kept", " ", " ", ": ", ". ", "\n\n", "(", ")", "says ", "[", "]", '"', "`", "```", "~~~", "\n> ",
      "\x00", "\u202e", "\u200b", "](http://x)", ":1-2]", "[src/app.py", "\u201c", "\u201d", "<b>", "![", "\u2013"),
    *("[gone.py:90-91, 95]", "[src/app.py:1-2, 6; gone.py:3]", "[gone.py: 9-10]", "[`gone.py:1-2`]", "[`gone.py`:7]",
      "[gone.py:9-10](https://x.example/y)", "\u3010gone.py:1-2\u3011", "[gone.py, lines 9-10]", "[./src/app.py:1-2]",
      "[src/[x]/gone.tsx:900-999]", "[src/[id]/page.tsx:1-2]", "`gone.py:4-5`", "(gone.py:4)", "**gone.py**:4",
      "[gone.py#L4-L5]", "in gone.py:44 and", "[gone.py:1 and src/app.py:2]", "[src/[[...x]]/gone.tsx:1-2]"),
)  # fmt: skip
# Written apart from what is tested: whatever looks like a file and a line, and a quotation right before a citation.
SEEN = re.compile(
    r"(README\.md|(?:\.\./)?etc/passwd|gone\.py|src/(?:app\.py|\[[\w.\[\]]+/\w+\.tsx))(?: ?: ?|#|, lines )L?(\d+)"
)
QUOTING = re.compile(r'"([^"\n]{12,})" \[([^\[\]\n:`]+):(\d+)-(\d+)\](?!\()')
FILES = {"src/app.py": APP, "README.md": README, "src/[id]/page.tsx": PAGE}
BREAKS = {"code_inline", "softbreak", "hardbreak"}


def prose(text: str) -> str:
    """What a reader of the Markdown reads as text: by another parser than the one that is tested.

    Of a block of `>` lines what stands in brackets: a file that it names without them is quoted.
    """
    lines, depth = [], 0
    for block in MarkdownIt("commonmark").parse(text):
        depth += block.nesting if block.type.startswith("blockquote") else 0
        line = "".join("\n" if t.type in BREAKS else t.content for t in block.children or ())
        lines += re.findall(r"\[[^\n]*?\]", line) if depth else [line]
    return "\n".join(lines)


def test_over_a_thousand_answers_of_hostile_models_every_citation_that_is_left_is_valid() -> None:
    chance = random.Random(20)
    kept = removed = quotes = 0
    for _ in range(1_500):
        answer = "".join(chance.choices(PIECES, k=chance.randint(1, 24)))
        checked = check(answer)
        kept += len(checked.citations)
        removed += checked.removed
        quotes += checked.removed_quotes
        for cited in checked.citations:
            assert 1 <= cited.first_line <= cited.last_line <= len(FILES[cited.path])
        listed = {(c.path, c.first_line, c.last_line) for c in checked.citations}
        begins = {(path, first) for path, first, _ in listed}
        seen = {(path, int(first)) for path, first in SEEN.findall(prose(checked.text))}
        assert seen <= begins, answer
        for said, path, first, last in QUOTING.findall(prose(checked.text)):
            if (path, int(first), int(last)) in listed:
                lines = " ".join(FILES[path][int(first) - 1 : int(last)]).casefold()
                assert said.strip().casefold() in " ".join(lines.split()), answer
        shown = checked_so_far(answer[: chance.randint(0, len(answer))], GIVEN)
        assert not is_plain(shown) or check_citations(shown, GIVEN, COUNTS).removed == 0, answer

    assert min(kept, removed, quotes) > 200  # the pieces do make both kinds
