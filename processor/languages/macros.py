"""C and C++ without the macros that no grammar can know: what the parser is shown instead of the file. Pure.

`class EXPORT_API Window {` is no C++ before the preprocessor has run, and what follows it is lost in the error. Such
words are blanked, byte for byte, so that every place in the tree is the file's; whatever is quoted comes from the file.
"""

import re

_NAME = rb"[A-Z][A-Z0-9_]*"
_ARGUMENTS = rb"(?:[ \t]*\([^()\n]*\))?"
_SPECIFIER = (  # the last word of it says that it is one
    rb"(?:API|DLL|PUBLIC|LOCAL|HIDDEN|EXPORTS?|IMPORT|INLINE|FORCEINLINE|CONSTEXPR|CONSTEVAL|NODISCARD|DEPRECATED"
    rb"|NORETURN|NOEXCEPT|NOTHROW|VISIBILITY|VISIBLE|UNUSED|BUILTIN|LIFETIMEBOUND|COLD|HOT|PURE|EXPLICIT"
    rb"|FASTCALL|CDECL|STDCALL)[0-9]*_*"
)
_FOLLOWING = (  # never follows the name of a type
    rb"(?:(?:class|struct|union|enum|inline|static|constexpr|explicit|virtual|template|typename|friend|extern"
    rb"|namespace|using|typedef|void|bool|char|int|unsigned|signed|long|short|float|double|auto|operator)\b|~|\[\[)"
)
_BLANKED = tuple(
    re.compile(expression, re.MULTILINE)
    for expression in (
        # class MACRO Name
        rb"(?<=\bclass[ ])" + _NAME + _ARGUMENTS + rb"(?=\s+[A-Za-z_])",
        # struct MACRO Name {
        rb"(?:(?<=\bstruct[ ])|(?<=\bunion[ ]))" + _NAME + _ARGUMENTS + rb"(?=\s+[A-Za-z_]\w*\s*(?:final\s*)?[:{])",
        # MACRO static f(), MACRO template <…>
        rb"^[ \t]*" + _NAME + _ARGUMENTS + rb"(?=\s+" + _FOLLOWING + rb")",
        # constexpr FMT_INLINE f(), f(T x FMT_BUILTIN)
        rb"\b(?:[A-Z][A-Z0-9]*_)*" + _SPECIFIER + rb"(?=\s+[A-Za-z_~])",
        rb"\b(?:[A-Z][A-Z0-9]*_)+(?:NOEXCEPT|NOTHROW|BUILTIN|LIFETIMEBOUND|UNUSED)[0-9]*_*(?=\s*[){])",
        # (CALLBACK *f)(…)
        rb"(?<=\()" + _NAME + rb"(?=\s*\*\s*\w+\s*\)\s*\()",
        # typedef MACRO(T) Name;
        rb"(?<=[A-Z0-9_])\([^()\n]*\)(?=\s+\w+;)",
    )
)
_ALONE = re.compile(rb"^[ \t]*[A-Z][A-Z0-9]*_[A-Z0-9_]*(?:\([^()\n]*\))?+;?+[ \t]*+(?://[^\n]*)?$", re.MULTILINE)
_TRAILING = re.compile(rb"\b" + _NAME + rb"\([^()\n]*\)(?=\s*\{)")
_DIRECTIVE = re.compile(rb"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
_TYPE = re.compile(rb"\A[A-Z].*[(, ](?:bool|char|int|unsigned|signed|long|short|float|double|void|::\w)")
_AROUND = 300  # bytes in which the end of what stands before is looked for
_BEFORE = (b";", b"{", b"}", b"*/", b"public:", b"private:", b"protected:")
_HEADS = (b")", b"const", b"override", b"noexcept")  # end what a body follows
_BEGINS = re.compile(rb"[A-Za-z_~/}]|\Z")


def without_macros(source: bytes) -> bytes:
    """The source, of as many bytes, without macros that stand for no expression; directives are left as they are."""
    shown: list[bytes] = []
    upto = 0
    for directive in _DIRECTIVE.finditer(source):
        shown += (_blanked(source[upto : directive.start()]), directive.group())
        upto = directive.end()
    return b"".join((*shown, _blanked(source[upto:])))


def _blanked(source: bytes) -> bytes:
    """The text between two directives."""
    if not source.strip():
        return source
    for expression in _BLANKED:
        source = expression.sub(_spaces, source)
    source = _TRAILING.sub(_spaces_before_a_body, source)
    return _ALONE.sub(_spaces_where_a_statement_begins, source)


def _spaces(found: re.Match[bytes]) -> bytes:
    return b" " * len(found.group())


def _spaces_before_a_body(found: re.Match[bytes]) -> bytes:
    """Blank what stands between the head of a function and its body: `void f() LOCKS_EXCLUDED(m) {`."""
    before = found.string[max(0, found.start() - _AROUND) : found.start()].rstrip()
    return _spaces(found) if before.endswith(_HEADS) else found.group()


def _spaces_where_a_statement_begins(found: re.Match[bytes]) -> bytes:
    """Blank a line that is a macro alone, but no part of what goes on before or after it."""
    source = found.string
    before = source[max(0, found.start() - _AROUND) : found.start()].rstrip()
    after = source[found.end() : found.end() + _AROUND].lstrip()
    if b";" in found.group().partition(b"//")[0]:
        # `NO_COPIES(Window);` at the end of a class, `DECLARE_KIND(bool, 1);`; others are calls.
        is_alone = after.startswith(b"};") or _TYPE.search(found.group()) is not None
    else:
        is_list = before.endswith(b"{") and before[:-1].rstrip().endswith(b"=")
        is_alone = not is_list and _BEGINS.match(after) is not None
    begins = not before or before.endswith(_BEFORE) or before.rpartition(b"\n")[2].lstrip().startswith(b"//")
    return _spaces(found) if is_alone and begins else found.group()
