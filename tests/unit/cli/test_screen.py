"""What a repository says is printed, and does nothing else to the terminal."""

import io

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.ask import Asked, print_answer
from cli.exits import USAGE, leave
from cli.plain import one_line, visible
from cli.screen import Screen, tell
from tests.support.replies import a_question

HOSTILE = "a\x1b]52;c;cm0gLXJm\x07b\x1b[2Jc\x9b31md\re\u202ef"
SAID = "a]52;c;cm0gLXJmb[2Jc31mdef"


def screen() -> tuple[Screen, io.StringIO]:
    written = io.StringIO()
    return Screen(file=written, force_terminal=True, width=120, color_system="standard"), written


def test_line_breaks_tabs_and_joined_emoji_stay() -> None:
    assert visible("1\n\t2 👩\u200d💻 ñ") == "1\n\t2 👩\u200d💻 ñ"


def test_a_path_is_on_one_line_and_looks_like_no_other() -> None:
    paths = ["a\nb", "a\tb", "a\u2028b", "a\u202eb", "ab", "a\\nb", "a b", "ñ/👩\u200d💻"]

    spelled = [one_line(path) for path in paths]

    assert spelled[:4] == [r"a\nb", r"a\tb", r"a\u2028b", r"a\u202eb"]
    assert spelled[-2:] == paths[-2:]
    assert all(len(each.splitlines()) == 1 for each in spelled)
    assert len({*spelled}) == len(paths)


def test_a_sequence_for_the_terminal_in_an_answer_is_only_read() -> None:
    console, written = screen()
    citation = {"path": f"{HOSTILE}.py", "first_line": 1, "last_line": 2}

    print_answer(console, Asked(a_question(answer=HOSTILE, citations=[citation], mode="extractive"), failed=False))
    print_answer(console, Asked(a_question(code="model_error", message=HOSTILE), failed=True))

    assert written.getvalue().count(SAID) == 2
    assert rf"{one_line(HOSTILE)}.py:1-2" in written.getvalue()
    for sign in ("\x1b]", "\x07", "\x1b[2J", "\x9b", "\r", "\u202e"):
        assert sign not in written.getvalue()
    assert "\x1b[36m" in written.getvalue(), "our own colours are there"


def test_no_word_is_taken_for_an_emoji_or_for_markup_and_no_line_is_broken() -> None:
    console, written = screen()
    line = f":key: [bold]x[/] {'long ' * 60}"

    console.say(line)

    assert written.getvalue() == f"{line}\n"


def test_json_is_printed_letter_by_letter(capsys: pytest.CaptureFixture[str]) -> None:
    question = a_question(answer=":key: soft\xadhyphen \u202e")

    tell(question, [], as_json=True)

    assert type(question).model_validate_json(capsys.readouterr().out) == question


def test_neither_a_table_nor_what_is_live_lets_one_pass() -> None:
    console, written = screen()
    table = Table("path")
    table.add_row(Text(HOSTILE))
    console.print(table)
    with Live(console=console, transient=True) as live:
        live.update(Text(HOSTILE))

    assert written.getvalue().count(SAID) >= 2
    assert "\x1b]52" not in written.getvalue()
    assert "\x1b[?25l" in written.getvalue(), "our own movements are there"


def test_the_last_sentence_of_a_command_lets_none_pass(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        leave(USAGE, f"bad_url: {HOSTILE}")

    assert ended.value.code == USAGE
    assert capsys.readouterr().err == f"bad_url: {SAID}\n"
