"""Where the branches of a preprocessor make errors, one of them alone is read."""

import time

from hypothesis import given
from hypothesis import strategies as st

from processor.languages.branches import one_branch
from processor.stages.parse import parse_source
from tests.support.sources import a_source

HEADS = """\
namespace A {
#if NET6
public class X : Base
#elif NET5
public class X
#else
#error Unknown
#endif
{
    public X(int size)
#if NET6
        : base(size)
#else
        : base()
#endif
    {
    }
    public int G() => 1;
}
}
"""
LINES = [b"#if A", b"#else", b"#elif \\", b"#endif", b"x", b"", b"\xc3\xa9 \\"]
CLEAN = """\
class X {
#if A
    int F() { return 1; }
#else
    int G() { return 2; }
#endif
    int H() { return 3 } // an error
}
"""


def test_a_class_whose_head_is_chosen_is_read() -> None:
    parsed = parse_source(a_source("a.cs", HEADS))

    assert (parsed.outcome["outcome"], parsed.outcome["errors"]) == ("parsed", 0)
    assert [(one["kind"], one["qualified_name"], one["last_line"]) for one in parsed.symbols] == [
        ("namespace", "A", 20),
        ("class", "A.X", 19),
        ("method", "A.X.X", 17),
        ("method", "A.X.G", 18),
    ]


def test_an_error_elsewhere_costs_no_branch() -> None:
    parsed = parse_source(a_source("a.cs", CLEAN))

    assert {"F", "G", "H"} <= {one["name"] for one in parsed.symbols}
    assert parsed.outcome["errors"] != 0


def test_a_file_of_c_that_would_be_cut_by_lines_is_read() -> None:
    parsed = parse_source(
        a_source("a.c", "#ifdef A\nint f(int a) {\n#else\nint f(long a) {\n#endif\n  return g(a);\n}\n")
    )

    assert [one["name"] for one in parsed.symbols] == ["f"]
    assert parsed.outcome["outcome"] == "parsed"


def test_what_is_shown_is_the_first_branch() -> None:
    nested = b"# if Y\nc\n# else\nd\n# endif\n"
    source = b"a\r\n#if X\r\nb\r\n" + nested + b"#elif Z \\\r\n  W\ne\n#else\nf\n#endif\ng\n#endif\nh\n#else\ni"

    assert one_branch(source).split() == [b"a", b"b", b"c", b"g", b"h", b"i"]


@given(
    st.lists(st.sampled_from(LINES), max_size=30),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_every_byte_stays_where_it_is(lines: list[bytes], end: bytes) -> None:
    source = end.join(lines)
    shown = one_branch(source)

    assert len(shown) == len(source)
    assert all(new in (old, 32) for old, new in zip(source, shown, strict=True))
    assert [at for at, byte in enumerate(shown) if byte in b"\r\n"] == [
        at for at, byte in enumerate(source) if byte in b"\r\n"
    ]


def test_choices_in_choices_take_time_by_their_number() -> None:
    begun = time.process_time()
    one_branch(b"#if A\n" * 100_000)
    one_branch(b"#if A\n#else\n" * 50_000)

    assert time.process_time() - begun < 5
