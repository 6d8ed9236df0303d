"""The text of a message in a question, and the literal that it was made from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.match_message import match_message
from rag_manager.stages.match_setting import match_setting
from rag_manager.stages.read_message import read_message

SEEN = "Could not open file '/srv/x 1.txt': permission was denied"
MADE_BY = (
    'raise Missing(f"Could not open "\n    f"file {name!r}: permission was denied")',
    'return fmt.Errorf("could not open file %s: permission was denied", name)',
    'throw new IOException("Could not open file " + name + ": permission was denied");',
    "console.error(`Could not open file ${name}: permission was denied`)",
    'panic!("Could not open file {}: permission was denied", name)',
    'sprintf(out, "Could not open file %-10s: permission was denied", name);',
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('Why do I get "No such command foo."?', "No such command foo."),
        ("What does “unexpected end of input” mean", "unexpected end of input"),
        ("ValueError: Could not open it: no such file", "Could not open it: no such file"),
        ("app.errors.RefusedError (code 5): the key has expired", "the key has expired"),
        ("Traceback:\nfatal error: all goroutines are asleep", "all goroutines are asleep"),
        ("why does it say that nobody was signed in?", "nobody was signed in"),
        ("How is `open_session` called?", None),
        ("Where is the error?", None),
        ("How are sessions opened?", None),
        ('the "x y" thing', None),
    ],
)
def test_the_text_of_a_message_is_read_out_of_a_question(text: str, message: str | None) -> None:
    assert read_message(text) == message


@pytest.mark.parametrize("code", MADE_BY)
def test_a_literal_with_placeholders_tells_the_message_that_was_made_of_it(code: str) -> None:
    [score] = match_message(SEEN, [code])

    assert score > 0.8


def test_texts_with_other_words_or_the_same_ones_apart_do_not() -> None:
    apart = "could parse. a file was not there. open it. permission was here denied"

    assert match_message(SEEN, ["could not parse the file", apart, ""]) == [0.0, 0.0, 0.0]
    assert match_message("not found", ["not found"]) == [0.0]


def test_the_longer_run_scores_more_and_what_a_placeholder_held_at_the_end_does_not_count() -> None:
    whole, half = match_message(
        "no route to host found here", ["no route to host found here", "no route to host {why}"]
    )

    assert whole > half > 0.7


@given(st.text(max_size=300), st.text(max_size=600))
def test_any_two_texts_have_a_score_between_none_and_all(message: str, text: str) -> None:
    [score] = match_message(message, [text])

    assert 0.0 <= score < 1.0


@pytest.mark.parametrize(
    ("text", "configuration", "score"),
    [
        ('SECRET_KEY = "x"', False, 0.9),
        ('app.config["SECRET_KEY"] = read()', False, 0.9),
        ("SECRET_KEY: x", True, 1.0),
        ('  "SECRET_KEY": 5,', True, 1.0),
        ("uses SECRET_KEY here", True, 0.6),
        ("if SECRET_KEY == other:", False, 0.0),
        ("MY_SECRET_KEY = 5", False, 0.0),
        ("print(SECRET_KEY)", False, 0.0),
    ],
)
def test_a_setting_is_where_it_is_given_a_value_or_a_configuration_names_it(
    text: str, configuration: bool, score: float
) -> None:
    assert match_setting("SECRET_KEY", [text], [configuration]) == [score]
