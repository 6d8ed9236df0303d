from hypothesis import given
from hypothesis import strategies as st

from rag_manager.stages.code_tokens import MAX_TOKEN, code_tokens, identifiers, joined_tokens
from rag_manager.stages.passage_text import HEADER_WEIGHT, embedding_text, lexical_text, shown_text, text_hash


def test_an_identifier_gives_its_parts_and_itself() -> None:
    assert code_tokens("getHTTPUrl") == ["http", "url", "gethttpurl"]
    assert code_tokens("snake_case_name") == ["snake", "case", "name", "snake_case_name"]
    assert code_tokens("TypeAdapter") == ["type", "adapt", "typeadapter"]


def test_words_are_stemmed_and_stop_words_dropped() -> None:
    assert code_tokens("How are the cookies signed?") == ["cooki", "sign"]
    assert code_tokens("parsing parsed parses") == ["pars", "pars", "pars"]


def test_a_lone_letter_counts_only_alone() -> None:
    assert code_tokens("x") == ["x"]
    assert code_tokens("x_position") == ["posit", "x_position"]


def test_words_of_other_scripts_are_kept() -> None:
    assert code_tokens("größe 変数") == ["größe", "変数"]


def test_long_runs_of_letters_are_data_and_left_out() -> None:
    assert code_tokens("a" * (MAX_TOKEN + 1)) == []


@given(st.text())
def test_the_joined_line_is_cut_at_blanks_into_the_same_tokens(text: str) -> None:
    assert joined_tokens(text).split(" ") == (code_tokens(text) or [""])


def test_identifiers_are_words_that_only_code_has() -> None:
    assert list(identifiers("does TypeAdapter call read_value or plain words in utf8 HTMLParser API")) == [
        "TypeAdapter",
        "read_value",
        "utf8",
        "HTMLParser",
    ]


def test_the_header_counts_several_times_in_the_lexical_text() -> None:
    assert lexical_text("src/Router.go", "match path").split() == ["src", "router", "go"] * HEADER_WEIGHT + [
        "match",
        "path",
    ]


def test_the_model_reads_the_header_and_then_the_code() -> None:
    assert embedding_text("a.py > f", "def f(): ...") == "a.py > f\ndef f(): ..."
    assert embedding_text("", "text") == "text"
    assert text_hash("a") == text_hash("a") != text_hash("b")


def test_no_secret_is_indexed_embedded_or_shown_also_of_what_an_older_release_parsed() -> None:
    secret = "gh" + "p_A1b2C3d4E5f6G7h8J9k0"
    header, text = f"a.py > {secret}", f"one\n{secret}\nthree"

    assert shown_text(text) == "one\n[redacted]\nthree"
    assert embedding_text(header, text) == "a.py > [redacted]\none\n[redacted]\nthree"
    assert text_hash(embedding_text(header, text)) != text_hash(f"{header}\n{text}")
    assert not set(code_tokens(secret)) & set(lexical_text(header, text).split())
