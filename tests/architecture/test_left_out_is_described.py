"""docs/left-out.md says of every reason what the pages and commands say."""

from pathlib import Path

from runtime.reasons import REASONS

TEXT = (Path(__file__).parents[2] / "docs" / "left-out.md").read_text("utf-8")


def test_every_reason_is_described_as_it_is_told() -> None:
    rows = {
        cells[1].strip(" `"): [cell.strip() for cell in cells[2:-1]]
        for cells in (line.split("|") for line in TEXT.splitlines() if line.startswith("| `"))
    }
    missing = {
        code: (known.title, known.sentence)
        for code, known in REASONS.items()
        if rows.get(code, [])[:2] != [known.title, known.sentence]
    }
    answers = {code: row[2] == "yes" for code, row in rows.items() if len(row) > 2}

    assert missing == {}
    assert rows.keys() == REASONS.keys()
    assert answers == {code: REASONS[code].may_be_read for code in answers}
    assert {code for code, known in REASONS.items() if known.may_be_read} <= answers.keys()
