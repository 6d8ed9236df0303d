"""Sections of Markdown and reStructuredText, by their heading lines. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from processor.languages.definitions import Found
from processor.languages.lines import Lines
from processor.languages.placing import Definition

_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#*)?[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_ADORNMENT = re.compile(r"^([=\-`:'\"~^_*+#<>.])\1{2,}[ \t]*$")
_MAX_TITLE = 120
HEADED = frozenset({"markdown", "rst"})  # languages
MAX_HEADINGS = 500  # a file; a change log has one for each release
SEPARATOR = " > "


class Section(NamedTuple):
    """Lines that belong under one heading: `titles` are the headings above them, the outermost first."""

    first: int
    last: int
    titles: tuple[str, ...]
    level: int = 0  # of its heading; 0 before the first one


class _Heading(NamedTuple):
    line: int
    level: int
    title: str


def sections_of(language: str, rows: Sequence[str]) -> list[Section]:
    """Cut a document into sections that together hold every line. `rows` are its lines."""
    headings = list(_markdown(rows) if language == "markdown" else _rst(rows))
    if not headings:
        return [Section(1, len(rows), ())]
    sections = [Section(1, headings[0].line - 1, ())] if headings[0].line > 1 else []
    path: list[_Heading] = []
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        path = [*(above for above in path if above.level < heading.level), heading]
        last = following.line - 1 if following else len(rows)
        sections.append(Section(heading.line, last, tuple(above.title[:_MAX_TITLE] for above in path), heading.level))
    return sections


def _markdown(rows: Sequence[str]) -> Iterator[_Heading]:
    fence = ""
    for index, row in enumerate(rows):
        mark = _FENCE.match(row)
        if mark:
            if not fence:
                fence = mark.group(1)
            elif row.strip().startswith(fence) and not row.strip().strip(fence[0]):
                fence = ""
            continue
        if fence:
            continue
        heading = _ATX.match(row)
        if heading and heading.group(2):
            yield _Heading(index + 1, len(heading.group(1)), heading.group(2).strip())
        elif index and _is_setext(rows, index):
            yield _Heading(index, 1 if row.strip().startswith("=") else 2, rows[index - 1].strip())


def _is_setext(rows: Sequence[str], index: int) -> bool:
    """Whether the row underlines the one before: a paragraph of one line, so that tables and rules are none."""
    above = rows[index - 1]
    if not _SETEXT.match(rows[index]) or not above.strip() or _ATX.match(above):
        return False
    alone = index < 2 or not rows[index - 2].strip()
    return alone and not above.lstrip().startswith(("|", "-", "*", ">", "<", "    "))


def _rst(rows: Sequence[str]) -> Iterator[_Heading]:
    styles: list[tuple[str, bool]] = []
    for index in range(1, len(rows)):
        title = rows[index - 1].strip()
        over = _has_overline(rows, index)
        if not title or _ADORNMENT.match(rows[index - 1]) or not _ADORNMENT.match(rows[index]):
            continue
        if (rows[index - 1][0].isspace() and not over) or len(rows[index].strip()) < len(title):
            continue
        style = (rows[index][0], over)
        if style not in styles:
            styles.append(style)
        yield _Heading(index - 1 if over else index, styles.index(style) + 1, title)


def _has_overline(rows: Sequence[str], index: int) -> bool:
    return index >= 2 and rows[index - 2].rstrip() == rows[index].rstrip()


def headings_of(sections: Sequence[Section], lines: Lines) -> Found:
    """The headings as definitions, each with the sections below it."""
    definitions: list[Definition] = []
    headed = [section for section in sections if section.level]
    end = headed[MAX_HEADINGS].first - 1 if len(headed) > MAX_HEADINGS else lines.count
    for place, section in enumerate(headed[:MAX_HEADINGS]):
        following = (later.first - 1 for later in headed[place + 1 : MAX_HEADINGS] if later.level <= section.level)
        first, last = lines.trimmed(section.first, next(following, end))
        parent = SEPARATOR.join(section.titles[:-1])
        definitions.append(
            Definition(
                kind="heading",
                name=section.titles[-1],
                qualified_name=SEPARATOR.join(section.titles),
                parent=parent or None,
                signature=section.titles[-1],
                docstring="",
                first_line=first,
                last_line=last,
                first_byte=lines.start_of(first),
                last_byte=lines.start_of(last) + len(lines.text(last, last).encode()),
            )
        )
    return Found(tuple(definitions), (), ())
