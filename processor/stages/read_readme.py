"""Read what a README says first.

In:  the text of a README and its language (markdown, rst or anything).
Out: its title, its first paragraphs and the names of its sections.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_LINES = 2_000
_SUMMARY = 600
_SECTIONS = 40
_ROW = 3  # links beside each other
_NAME = 60  # characters of a picture's text that can be a name
_UNDERLINE = re.compile(r"[=\-~^\"'`#*+:._]{3,}\s*")
_ATX = re.compile(r"(#{1,6})\s{1,20}([^#\n].*)")
_HTML_HEADING = re.compile(r"<h([1-3])[^>]{0,200}>(.{1,2000}?)</h[1-3]>", re.IGNORECASE)
_HTML_OPENING = re.compile(r"<h[1-3][\s>]", re.IGNORECASE)
_HTML_LINES = 24  # that a heading may stand on
_TAG = re.compile(r"<[^>]{0,500}>")
_BREAK = re.compile(r"<br\s{0,5}/?>", re.IGNORECASE)
_PICTURE = re.compile(
    r"!\[([^\]]{1,200})\]\([^)]{0,500}\)|<img\b[^>]{0,400}?\balt=[\"']([^\"'>]{1,200})[\"'][^>]{0,400}>"
)
_ADDRESS = re.compile(r"<((?:https?://|mailto:)[^>\s]{1,300})>")
_EMPTY_LINK = re.compile(r"\[\s{0,9}\](?:\([^)]{0,500}\)|\[[^\]]{0,200}\])")
_IMAGE = re.compile(r"!\[[^\]]{0,200}\]\([^)]{0,500}\)|!\[[^\]]{0,200}\]\[[^\]]{0,200}\]")
_LINK = re.compile(r"\[([^\]\[]{1,300})\](?:\([^)]{0,500}\)|\[[^\]]{0,200}\])")
_ANCHOR = re.compile(r"<a\s[^>]{0,500}>[^<]{0,300}</a>", re.IGNORECASE)
_RST_LINK = re.compile(r"`([^`<]{1,200}?)\s*<[^>]{0,300}>`_{1,2}")
_LINK_TARGET = re.compile(r" {0,3}\[[^\]]{1,200}\]:\s")
_BRACKETS = re.compile(r"\[([^\]\[]{1,300})\]")
_MARKS = re.compile(
    r"\*{1,3}(\S[^*]{0,300}?)\*{1,3}|(?<!\w)_{1,3}(\S[^_]{0,300}?)_{1,3}(?!\w)|`{1,3}(\S[^`]{0,300}?)`{1,3}"
)
_RST_IMAGE = re.compile(r"\.\. (?:\|[^|]{1,100}\| )?image:: ")
_RST_ALT = re.compile(r"\s+:alt: +(.{1,200})")
_BADGE = re.compile(r"badge|shields\.io|/workflows/|\[!\[", re.IGNORECASE)
_NEWS = re.compile(r"\b(?:announc(?:e|es|ing|ement)|(?:is|are) now available|has been released)\b", re.IGNORECASE)
_NO_PROSE = ("..", ":", "|", ">", "[!", "<!--", "$ ", "- ", "* ", "+ ", "---", "===", "***", "1.")
_UNDERLINED = 2  # the level of an underlined heading; the first one of a README is its title


class _Heading(NamedTuple):
    first: int  # of its lines
    last: int
    level: int
    text: str


@dataclass(frozen=True)
class Readme:
    """The beginning of a README. Empty texts where it has none."""

    title: str
    summary: str
    sections: tuple[str, ...]


def read_readme(text: str) -> Readme:
    """The title, the first prose and the headings, free of markup. Looks at the first 2,000 lines."""
    lines = _without_fences([line[:1_000] for line in text.split("\n", _LINES)[:_LINES]])
    headings = _headings(lines)
    first = headings[0] if headings else None
    before = _summary(_unquoted(lines[: first.first])) if first is not None else ""
    if first is None or first.level > 1 or before:  # prose above the first heading: that heading is a section's
        summary = before or _summary(lines)
        return Readme(_logo(lines), summary, tuple(heading.text for heading in headings[:_SECTIONS]))
    return Readme(
        first.text, _summary(lines[first.last + 1 :]), tuple(heading.text for heading in headings[1:_SECTIONS])
    )


def _logo(lines: list[str]) -> str:
    """What the picture shows that stands above everything else, where that is not a badge."""
    for index, line in enumerate(lines):
        if (shown := _PICTURE.search(line)) is not None or _RST_IMAGE.match(line):
            options = lines[index + 1 : index + 8]
            alt = shown if shown is not None else next(filter(None, map(_RST_ALT.fullmatch, options)), None)
            name = next(filter(None, alt.groups()), "").strip().removesuffix(" logo") if alt is not None else ""
            return "" if _BADGE.search(line) or len(name) > _NAME else name
        if plain(line):
            break
    return ""


def _unquoted(lines: list[str]) -> list[str]:
    """Above the first heading a quotation is what the project says of itself."""
    return [line if line.startswith("> [!") else line.removeprefix("> ") for line in lines]


def _without_fences(lines: list[str]) -> list[str]:
    """The lines, with those of fenced code blocks and of comments blank, and those that only say where a link leads."""
    kept: list[str] = []
    fence = ""
    is_comment = False
    for written in lines:
        line, is_comment = (written, False) if fence else _without_comments(written, is_comment)
        bare = line.lstrip()
        if fence:
            fence = "" if bare.startswith(fence) else fence
            kept.append("")
        elif bare.startswith(("```", "~~~")):
            fence = bare[:3]
            kept.append("")
        else:
            kept.append("" if _LINK_TARGET.match(line) else line)
    return kept


def _without_comments(line: str, is_comment: bool) -> tuple[str, bool]:
    """The line without what is a comment of HTML in it, and whether one goes on behind it."""
    shown = []
    while True:
        before, found, line = line.partition("-->" if is_comment else "<!--")
        shown.append("" if is_comment else before)
        if not found:
            return "".join(shown), is_comment
        is_comment = not is_comment


def _headings(lines: list[str]) -> list[_Heading]:
    """The headings in order. In reStructuredText the first underline that is used is that of the first level."""
    found: list[_Heading] = []
    for index in range(len(lines)):
        heading = _heading_at(lines, index)
        if heading is not None and (name := plain(heading.text) or (_pictured(heading.text) if not found else "")):
            level = 1 if not found and heading.level == _UNDERLINED else heading.level
            found.append(heading._replace(level=level, text=name))
    return found


def _pictured(text: str) -> str:
    """What a heading says that is one picture; badges, which are links, say nothing."""
    shown = _PICTURE.fullmatch(text.strip())
    return (shown[1] or shown[2]).strip().removesuffix(" logo") if shown is not None else ""


def _heading_at(lines: list[str], index: int) -> _Heading | None:
    """The heading that begins at a line."""
    if lines[index].startswith(("    ", "\t")):
        return None  # code
    line = lines[index].strip()
    if (atx := _ATX.fullmatch(line)) is not None:
        text = atx[2].rstrip("#")  # `# Title #`, but not `# C#`
        return _Heading(index, index, len(atx[1]), text if text[-1:].isspace() else atx[2])
    if (opening := _HTML_OPENING.search(line)) is not None:
        return _html_heading(index, [line[opening.start() :], *lines[index + 1 : index + _HTML_LINES]])
    below = lines[index + 1].strip() if index + 1 < len(lines) else ""
    underlined = _UNDERLINE.fullmatch(below) and len(set(below)) == 1 and len(below) >= min(len(line), 3)
    if line and underlined and not _UNDERLINE.fullmatch(line) and not line.startswith(("-", "*", "|", ">")):
        return _Heading(index, index + 1, _UNDERLINED, line[:200])
    return None


def _html_heading(first: int, lines: list[str]) -> _Heading | None:
    """The heading of HTML that opens these lines, the first of which has this number."""
    closing = next((place for place, line in enumerate(lines) if "</h" in line.lower()), None)
    if closing is None:
        return None
    found = _HTML_HEADING.match(" ".join(line.strip() for line in lines[: closing + 1]))
    return _Heading(first, first + closing, int(found[1]), found[2]) if found is not None else None


def _summary(lines: list[str]) -> str:
    """The first paragraphs that are prose, up to the next heading after them, about 600 characters."""
    paragraphs: list[str] = []
    for block in _blocks(lines):
        if block is None:
            if paragraphs:
                break
            continue
        text = plain(" ".join(block))
        if _is_prose(block, text) and not _NEWS.search(text) and not _leads_elsewhere(" ".join(block), text):
            paragraphs.append(text)
        if sum(map(len, paragraphs)) > _SUMMARY:
            break
    return "\n\n".join(paragraphs)[:_SUMMARY].rstrip()


def _blocks(lines: list[str]) -> Iterator[list[str] | None]:
    """Runs of lines between blank ones; None for a heading."""
    block: list[str] = []
    skip_to = -1
    for index, line in enumerate([*lines, ""]):
        heading = _heading_at(lines, index) if index < len(lines) and index > skip_to else None
        if line.strip() and heading is None and index > skip_to:
            block.append(line)
            continue
        if block:
            yield block
            block = []
        if heading is not None:
            skip_to = heading.last
            yield None


def _is_prose(block: list[str], text: str) -> bool:
    first = block[0]
    is_marked = first.startswith(("    ", "\t")) or first.lstrip().startswith(_NO_PROSE) or _UNDERLINE.fullmatch(first)
    return len(text) >= 20 and not is_marked


def _leads_elsewhere(written: str, text: str) -> bool:
    """Whether a paragraph is a row of links: its other words are few beside theirs."""
    rest, anchors = _ANCHOR.subn("", written)
    rest, links = _LINK.subn("", rest)
    rest, others = _RST_LINK.subn("", rest)
    return anchors + links + others >= _ROW and _letters(plain(rest)) < _letters(text) / 2


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def plain(text: str) -> str:
    """`text` without images, links, tags and emphasis."""
    text = _LINK.sub(r"\1", _EMPTY_LINK.sub("", _IMAGE.sub("", _BREAK.sub(" ", text))))
    text = html.unescape(_TAG.sub("", _ADDRESS.sub(r"\1", _RST_LINK.sub(r"\1", text))))
    text = _BRACKETS.sub(r"\1", _MARKS.sub(_marked, _MARKS.sub(_marked, text)))  # `_**both**_`
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_SUMMARY]


def _marked(found: re.Match[str]) -> str:
    return found[1] or found[2] or found[3]
