"""What the benchmark of swaps says of searches: who answered when, what failed, how much slower than quiet."""

from bench.swap import Found, Heard, Phase, report


def a_phase(name: str, begun: float) -> Phase:
    return Phase(name, begun, begun + 10.0, 0.5, {"chroma": 0.25})


def heard(due: float, ms: float, generation: str, *, failed: str = "") -> Heard:
    return Heard(due, due + ms / 1_000, ms - 1.0, generation, f"model of {generation}", failed)


def told(*searches: Heard) -> str:
    """The report of a quiet phase, in which a search takes 20 ms, and of another one with `searches`."""
    quiet = [heard(n, 20.0, "old") for n in range(10)]
    phases = [a_phase("quiet", 0.0), a_phase("swapped", 10.0)]
    totals = {"files": 1, "lines": 2, "chunks": 3}
    return report("kennel", 1.0, Found([*quiet, *searches], phases, [40.0, 41.0], totals))


def test_both_generations_are_told_with_when_they_answered_and_how_slowly() -> None:
    text = told(*(heard(10.0 + n, 30.0, "old" if n < 4 else "new") for n in range(10)))

    assert "| swapped | 10 | 0.5 | 10 | 0 | 30.0 / 30.0 / 30.0 | 29.0 / 29.0 | 1.50 |" in text
    assert (
        "`old` (model of old): 4, 0.0 to 3.0 s, p95 30 ms; `new` (model of new): 6, 4.0 to 9.0 s, p95 30 ms | 0 |"
        in text
    )
    assert "| swapped | 0.00 | 0.25 |" in text


def test_what_failed_is_counted_by_its_name() -> None:
    text = told(
        heard(11.0, 5.0, "old"), heard(12.0, 5.0, "", failed="ReadTimeout"), heard(13.0, 5.0, "old", failed="x")
    )

    assert "| 3 | 2 (1 ReadTimeout, 1 x) |" in text


def test_an_answer_of_the_former_generation_after_the_next_one_had_replied_is_seen() -> None:
    text = told(heard(11.0, 5.0, "old"), heard(12.0, 5.0, "new"), heard(13.0, 5.0, "old"), heard(14.0, 5.0, "new"))

    [row] = [line for line in text.splitlines() if line.startswith("| swapped | `old`")]
    assert row.endswith("| 1 |")
