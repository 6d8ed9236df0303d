"""C and C++ without the macros that no grammar can know: what the parser is shown instead of the file. Pure.

`class EXPORT_API Window {` is no C++ before the preprocessor has run, and what follows it is lost in the error. Such
words are blanked, byte for byte, so that every place in the tree is the file's; whatever is quoted comes from the file.
"""

import re

_NAME = rb"[A-Z][A-Z0-9_]*"
_WHOLE_NAME = rb"[A-Z](?<!\w.)[A-Z0-9_]*+"
_ARGUMENTS = rb"(?:[ \t]*\([^()\n]*\))?"
_FOLLOWING = (  # never follows the name of a type
    rb"(?:(?:class|struct|union|enum|inline|static|constexpr|explicit|virtual|template|typename|friend|extern"
    rb"|namespace|using|typedef|void|bool|char|int|unsigned|signed|long|short|float|double|auto|operator)\b|~|\[\[)"
)
# The first group is what is blanked. Each begins with a letter, a bracket or the end of a line and looks behind from
# there: such a beginning is searched for, where one that looks behind at once is tried at every byte.
_DECLARING = tuple(
    re.compile(expression)
    for expression in (
        # class MACRO Name
        rb"class[ ](?<!\w.{6})(" + _NAME + _ARGUMENTS + rb")(?=\s+[A-Za-z_])",
        # struct MACRO Name {
        rb"(?:struct[ ](?<!\w.{7})|union[ ](?<!\w.{6}))(" + _NAME + _ARGUMENTS + rb")"
        rb"(?=\s+[A-Za-z_]\w*\s*(?:final\s*)?[:{])",
        # MACRO static f(), MACRO template <…>
        rb"\n([ \t]*" + _NAME + _ARGUMENTS + rb")(?=\s+" + _FOLLOWING + rb")",
    )
)
_SPECIFYING = re.compile(rb"(" + _WHOLE_NAME + rb")(?=(\s+[A-Za-z_~])|\s*[){])")
_SPECIFIER = re.compile(  # before a word: constexpr FMT_INLINE f()
    rb"(?:[A-Z][A-Z0-9]*_)*"
    rb"(?:API|DLL|PUBLIC|LOCAL|HIDDEN|EXPORTS?|IMPORT|INLINE|FORCEINLINE|CONSTEXPR|CONSTEVAL|NODISCARD|DEPRECATED"
    rb"|NORETURN|NOEXCEPT|NOTHROW|VISIBILITY|VISIBLE|UNUSED|BUILTIN|LIFETIMEBOUND|COLD|HOT|PURE|EXPLICIT"
    rb"|FASTCALL|CDECL|STDCALL)[0-9]*_*"
)
_LAST_SPECIFIER = re.compile(  # before what ends a declaration: f(T x FMT_BUILTIN)
    rb"(?:[A-Z][A-Z0-9]*_)+(?:NOEXCEPT|NOTHROW|BUILTIN|LIFETIMEBOUND|UNUSED)[0-9]*_*"
)
_CALLING = tuple(
    re.compile(expression)
    for expression in (
        # (CALLBACK *f)(…)
        rb"\((" + _NAME + rb")(?=\s*\*\s*\w+\s*\)\s*\()",
        # typedef MACRO(T) Name;
        rb"(\((?<=[A-Z0-9_]\()[^()\n]*\))(?=\s+\w+;)",
    )
)
_ALONE = re.compile(rb"\n([ \t]*[A-Z][A-Z0-9]*_[A-Z0-9_]*(?:\([^()\n]*\))?+;?+[ \t]*+(?://[^\n]*)?)(?![^\n])")
_TRAILING = re.compile(rb"(" + _WHOLE_NAME + rb"\([^()\n]*\))(?=\s*\{)")
_DIRECTIVE = re.compile(rb"\n[ \t]*#(?:[^\n\\]++|\\.|\\\n)*+")
_TYPE = re.compile(rb"\A[A-Z].*[(, ](?:bool|char|int|unsigned|signed|long|short|float|double|void|::\w)")
_AROUND = 300  # bytes in which the end of what stands before is looked for
_BEFORE = (b";", b"{", b"}", b"*/", b"public:", b"private:", b"protected:")
_HEADS = (b")", b"const", b"override", b"noexcept")  # end what a body follows
_BEGINS = re.compile(rb"[A-Za-z_~/}]|\Z")


def without_macros(source: bytes) -> bytes:
    """The source, of as many bytes, without macros that stand for no expression; directives are left as they are."""
    source = b"\n" + source  # so that each line begins behind one
    shown: list[bytes] = []
    upto = 0
    for directive in _DIRECTIVE.finditer(source):
        shown += (_blanked(source[upto : directive.start()]), directive.group())
        upto = directive.end()
    return b"".join((*shown, _blanked(source[upto:])))[1:]


def _blanked(source: bytes) -> bytes:
    """The text between two directives."""
    if not source.strip():
        return source
    for expression in _DECLARING:
        source = expression.sub(_spaces, source)
    source = _SPECIFYING.sub(_spaces_for_a_specifier, source)
    for expression in _CALLING:
        source = expression.sub(_spaces, source)
    source = _TRAILING.sub(_spaces_before_a_body, source)
    return _ALONE.sub(_spaces_where_a_statement_begins, source)


def _spaces(found: re.Match[bytes]) -> bytes:
    """What was found, its end blanked: the first group."""
    blank = len(found[1])
    return found[0][:-blank] + b" " * blank


def _spaces_for_a_specifier(found: re.Match[bytes]) -> bytes:
    expression = _LAST_SPECIFIER if found[2] is None else _SPECIFIER
    return _spaces(found) if expression.fullmatch(found[1]) else found[0]


def _spaces_before_a_body(found: re.Match[bytes]) -> bytes:
    """Blank what stands between the head of a function and its body: `void f() LOCKS_EXCLUDED(m) {`."""
    before = found.string[max(0, found.start() - _AROUND) : found.start()].rstrip()
    return _spaces(found) if before.endswith(_HEADS) else found.group()


def _spaces_where_a_statement_begins(found: re.Match[bytes]) -> bytes:
    """Blank a line that is a macro alone, but no part of what goes on before or after it."""
    source, line = found.string, found[1]
    before = source[max(0, found.start(1) - _AROUND) : found.start(1)].rstrip()
    after = source[found.end() : found.end() + _AROUND].lstrip()
    if b";" in line.partition(b"//")[0]:
        # `NO_COPIES(Window);` at the end of a class, `DECLARE_KIND(bool, 1);`; others are calls.
        is_alone = after.startswith(b"};") or _TYPE.search(line) is not None
    else:
        is_list = before.endswith(b"{") and before[:-1].rstrip().endswith(b"=")
        is_alone = not is_list and _BEGINS.match(after) is not None
    begins = not before or before.endswith(_BEFORE) or before.rpartition(b"\n")[2].lstrip().startswith(b"//")
    return _spaces(found) if is_alone and begins else found.group()
