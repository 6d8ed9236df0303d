"""C and C++ are shown to the parser without the macros that no grammar can know, byte for byte."""

import time

import pytest

from events.artifacts import SourceRow
from processor.languages.macros import without_macros
from processor.stages.parse import parse_source


def definitions(text: str, path: str = "a.cc") -> list[tuple[str, str]]:
    """Kind and qualified name of what a file of C++ defines."""
    row = SourceRow(path=path, blob_id="", language="cpp", file_class="code", size=0, lines=0, content=text)
    return [(str(one["kind"]), str(one["qualified_name"])) for one in parse_source(row).symbols]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("class LIB_API Window {\n  void show() {}\n};\n", [("class", "Window"), ("method", "Window::show")]),
        ("struct LIB_API(1) Point : Base {\n  int x() { return 1; }\n}", [("struct", "Point"), ("method", "Point::x")]),
        ("LIB_BEGIN\nnamespace a {\nint f() { return 1; }\n}\n", [("namespace", "a"), ("function", "a::f")]),
        ("class A {\n public:\n  LIB_CONSTEXPR20 ~A() {}\n};\n", [("class", "A"), ("method", "A::~A")]),
        ("class A {\n  explicit LIB_CONSTEXPR A(int x) : x(x) {}\n  int x;\n};", [("class", "A"), ("method", "A::A")]),
        ("void f(int x) LOCKS_EXCLUDED_(m) {\n  g();\n}\n", [("function", "f")]),
        ("class A {\n  int f() { return 1; }\n  NO_COPIES(A);\n};\n", [("class", "A"), ("method", "A::f")]),
        ("DECLARE_KIND(bool, 1);\nclass A {\n  operator F<R(T)>() const { return 1; }\n};", [
            ("class", "A"),
            ("method", "A::operator F<R(T)>"),
        ]),
        ("TEST(suite, name) {\n  f();\n}\n", [("function", "TEST")]),
        ("TEST(suite, name)\n{\n  f();\n}\n", [("function", "TEST")]),
    ],
)  # fmt: skip
def test_what_stands_behind_a_macro_is_found(text: str, found: list[tuple[str, str]]) -> None:
    assert definitions(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "#define LIB_API __attribute__((visibility)) \\\n  LIB_INLINE static\nint x;\n",
        "void f() {\n  LOG_ALL(x);\n  int y = MODE_LOCAL;\n  if (y == MODE_HOT) return;\n}\n",
        "enum { RED_ONE, BLUE_INLINE };\nLARGE_INTEGER now(void);\n",
        "struct FILE_INFO info;\nint a[] = {\n  FLAG_ONE\n};\n",
    ],
)
def test_what_is_no_such_macro_stays(text: str) -> None:
    assert without_macros(text.encode()) == text.encode()


def test_every_byte_keeps_its_place_and_calls_are_read_from_the_file() -> None:
    text = "LIB_BEGIN // ä\nclass LIB_EXPORT(x) Ö {\n  LIB_INLINE void f() { g(); }\n};\n".encode()

    shown = without_macros(text)

    assert len(shown) == len(text)
    assert [shown[at] for at, byte in enumerate(text) if byte == 10] == [10] * text.count(b"\n")


@pytest.mark.parametrize("piece", [b"A_ ", b"A(", b"A_", b"class A ", b"\\\n#", b" ", b"A_B(\n", b"API_ "])
def test_a_hostile_text_is_looked_through_once(piece: bytes) -> None:
    text = b"A_ " + piece * (300_000 // len(piece))
    began = time.process_time()

    assert len(without_macros(text)) == len(text)

    assert time.process_time() - began < 5  # by the square of its length it would take minutes


def test_an_include_guard_is_no_definition_and_a_switch_is_one() -> None:
    assert definitions("#ifndef LIB_A_H_\n#define LIB_A_H_\n#define LIB_FAST\n#endif\n", "a.h") == [
        ("macro", "LIB_FAST")
    ]
