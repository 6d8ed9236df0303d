"""Where a README says what was read out of it."""

import re

_WORD = re.compile(r"\w+")
_NO_TEXT = re.compile(r"\]\([^)]{0,500}\)|<[^>]{0,500}>|!\[[^\]]{0,200}\]")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.{1,200}?)\s*#*\s*")
_UNDERLINE = re.compile(r"[=\-~^\"'`#*+]{3,}\s*")
_TELLS = re.compile(
    r"\b(install|installation|installing|usage|quick ?start|getting started|running|run|test|tests|testing|develop"
    r"|development|contribut\w+|build|building|set ?up|example|examples|a simple example)\b",
    re.IGNORECASE,
)
_FIRST = 4  # words that have to be the same
_MOST_SECTIONS = 6


def paragraph_at(text: str, summary: str) -> tuple[int, int] | None:
    """The lines of the paragraph that a summary begins with; None where it cannot be found. Pure."""
    wanted = _words(summary)
    lines = text.split("\n")
    for index in range(len(lines)):
        words = _words(" ".join(lines[index : index + 3]))
        if _words(lines[index]) and len(words) >= min(_FIRST, len(wanted)) > 0 and words[:_FIRST] == wanted[:_FIRST]:
            last = index
            while last + 1 < len(lines) and lines[last + 1].strip():
                last += 1
            return index + 1, last + 1
    return None


def sections_at(text: str) -> list[tuple[str, int]]:
    """The headings that promise how to install, run, test or develop it, each with its line. Pure."""
    found, fence, lines = list[tuple[str, int]](), "", text.split("\n")
    for number, line in enumerate(lines, 1):
        bare = line.lstrip()
        if bare.startswith(("```", "~~~")):
            fence = "" if fence and bare.startswith(fence) else fence or bare[:3]
            continue
        heading = None if fence else _heading(line, lines[number] if number < len(lines) else "")
        if heading is not None and _TELLS.search(heading):
            found.append((heading, number))
    return found[:_MOST_SECTIONS]


def _heading(line: str, below: str) -> str | None:
    if (atx := _HEADING.fullmatch(line)) is not None:
        return atx[1]
    bare = line.strip()
    underlined = bool(_UNDERLINE.fullmatch(below.strip())) and len(below.strip()) >= min(len(bare), 3)
    return bare if underlined and 2 < len(bare) <= 100 and not _UNDERLINE.fullmatch(bare) else None


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(_NO_TEXT.sub(" ", text))]
