from web_ui.source import highlight


def text_of(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(text for _, text in line) for line in lines]


def test_colouring_changes_no_character_and_no_line() -> None:
    code = '\n\nclass A:\n    """Doc\n    string."""\n\n    def f(self):  # why\n        return 1 < 2\n\n'

    assert text_of(highlight(code, language="python")) == code.split("\n")


def test_kinds_are_told_apart() -> None:
    runs = [run for line in highlight("def f(): return 'x' + 1  # c", language="python") for run in line]

    assert {("keyword", "def"), ("function", "f"), ("string", "'x'"), ("number", "1"), ("comment", "# c")} <= set(runs)


def test_the_path_decides_where_the_language_is_not_known() -> None:
    (line,) = highlight("func main() {}", language="no-such-language", path="cmd/main.go")

    assert ("keyword", "func") in line


def test_an_unknown_language_gives_plain_lines() -> None:
    assert highlight("a\n<b>\n", path="notes.unknownsuffix") == [[("", "a")], [("", "<b>")], []]


def test_a_very_large_text_is_shown_plain() -> None:
    lines = highlight("x = 1\n" * 50_000, language="python")

    assert len(lines) == 50_001
    assert lines[0] == [("", "x = 1")]
