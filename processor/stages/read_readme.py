"""Read what a README says first.

In:  the text of a README and its language (markdown, rst or anything).
Out: its title, its first paragraphs and the names of its sections.
"""

import re
from dataclasses import dataclass

_LINES = 2_000
_SUMMARY = 600
_SECTIONS = 40
_UNDERLINE = re.compile(r"[=\-~^\"'`#*+:._]{3,}\s*")
_ATX = re.compile(r"(#{1,6})\s{1,20}([^#\n].{0,198}?)\s*#*\s*")
_HTML_HEADING = re.compile(r"<h[1-3][^>]{0,200}>(.{1,300}?)</h[1-3]>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]{0,500}>")
_IMAGE = re.compile(r"!\[[^\]]{0,200}\]\([^)]{0,500}\)|!\[[^\]]{0,200}\]\[[^\]]{0,200}\]")
_LINK = re.compile(r"\[([^\]]{1,300})\](?:\([^)]{0,500}\)|\[[^\]]{0,200}\])")
_RST_LINK = re.compile(r"`([^`<]{1,200}?)\s*<[^>]{0,300}>`_{1,2}")
_MARKS = re.compile(r"[*_`]{1,3}(\S[^*_`]{0,300}?)[*_`]{1,3}")
_NO_PROSE = ("..", ":", "|", "```", "~~~", ">", "[!", "<!--", "$ ", "- ", "* ", "+ ", "---", "===", "---", "***")


@dataclass(frozen=True)
class Readme:
    """The beginning of a README. Empty texts where it has none."""

    title: str
    summary: str
    sections: tuple[str, ...]


def read_readme(text: str) -> Readme:
    """The title, the first prose after it and the headings, free of markup. Looks at the first 2,000 lines."""
    lines = [line[:1_000] for line in text.split("\n", _LINES)[:_LINES]]
    headings = _headings(lines)
    title = headings[0][1] if headings else ""
    start = headings[0][0] + 1 if headings else 0
    summary = _summary(lines[start:]) or _summary(lines)
    return Readme(title, summary, tuple(name for _, name in headings[1 : _SECTIONS + 1]))


def _headings(lines: list[str]) -> list[tuple[int, str]]:
    """Line index (of the last line of the heading) and text."""
    found: list[tuple[int, str]] = []
    fenced = False
    for index, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if fenced:
            continue
        if (heading := _heading_at(lines, index)) is not None and (name := plain(heading[1])):
            found.append((heading[0], name))
    return found


def _heading_at(lines: list[str], index: int) -> tuple[int, str] | None:
    line = lines[index].strip()
    if (atx := _ATX.fullmatch(line)) is not None:
        return index, atx[2]
    if (html := _HTML_HEADING.search(line)) is not None:
        return index, html[1]
    below = lines[index + 1].strip() if index + 1 < len(lines) else ""
    underlined = _UNDERLINE.fullmatch(below) and len(set(below)) == 1 and len(below) >= min(len(line), 3)
    if line and underlined and not _UNDERLINE.fullmatch(line) and not line.startswith(("-", "*", "|", ">")):
        return index + 1, line[:200]
    return None


def _summary(lines: list[str]) -> str:
    """The first paragraphs that are prose, up to about 600 characters."""
    paragraphs: list[str] = []
    current: list[str] = []
    for index, line in enumerate([*lines, ""]):
        bare = line.strip()
        is_heading = index < len(lines) and _heading_at(lines, index) is not None
        if bare and not is_heading and not bare.startswith(_NO_PROSE) and not line.startswith(("    ", "\t")):
            current.append(plain(bare))
            continue
        if (paragraph := " ".join(filter(None, current)).strip()) and len(paragraph) >= 20:
            paragraphs.append(paragraph)
        current = []
        if paragraphs and (is_heading or sum(map(len, paragraphs)) > _SUMMARY):
            break
    return "\n\n".join(paragraphs)[:_SUMMARY].rstrip()


def plain(text: str) -> str:
    """`text` without images, links, tags and emphasis."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    text = _RST_LINK.sub(r"\1", _TAG.sub("", text))
    text = _MARKS.sub(r"\1", text)
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_SUMMARY]
