"""An answer's Markdown as it may leave: for a file or another program, which will draw whatever it says. Pure.

In:  an answer, where its citations lead (`links`: place → address, None where no host shows it).
Out: the same text, each checked citation a link, and nothing in it that loads, leads or runs anywhere else.

Code is left as it is only where every reader of Markdown agrees that it is code: fences from the first column, spans on
one line without a `|`. Elsewhere what begins HTML, an image, a link or a definition is escaped.
"""

import re
from collections.abc import Mapping

from runtime.citation_form import FORM, path_form, path_of

Place = tuple[str, int, int]
_PIECE = re.compile(
    r"^(?P<fence>(?P<mark>`{3,})(?P<info>[^`\n]*)\n(?:.*?^ {0,3}(?P=mark)`*[ \t]*$|.*\Z)"
    r"|(?P<tildes>~{3,})(?P<about>[^\n]*)\n(?:.*?^ {0,3}(?P=tildes)~*[ \t]*$|.*\Z))"
    r"|(?P<escaped>\\[^\n])"
    r"|(?P<span>(?<!`)(?P<ticks>`+)(?!`)[^\n|]*?(?<!`)(?P=ticks)(?!`))"
    rf"|{FORM}"
    r"|(?P<begins>[<&]|!\[|\][(\[:])",
    re.MULTILINE | re.DOTALL,
)
_BEGINS = re.compile(r"\\.|[<&]|!\[|\][(\[:]")
_DRAWN = re.compile(r"(?i)\b(?:mermaid|math|geojson|topojson|stl|plantuml|dot|graphviz|html|svg)\b")
_ESCAPED = {"<": "&lt;", "&": "&amp;", "![": r"\!\[", "](": r"]\(", "][": r"]\[", "]:": r"]\:"}


def portable(text: str, links: Mapping[Place, str | None]) -> str:
    """The text with its citations as links, and nothing else that a reader of Markdown would act on."""
    return _PIECE.sub(lambda match: _told(match, links), text.replace("\r", ""))


def quoted(text: str) -> str:
    """The text as a quotation, for what a person typed."""
    return "\n".join(f"> {line}".rstrip() for line in portable(text, {}).split("\n"))


def cited(place: Place, link: str | None) -> str:
    """A place as code, and as a link where there is one."""
    path, first, last = place
    shown = f"`{path_form(path)}:{first}-{last}`"
    return f"[{shown}]({link})" if link else shown


def _told(match: re.Match[str], links: Mapping[Place, str | None]) -> str:
    if match["path"] is not None:
        lines = (int(match["first"]), int(match["last"]))
        for path in (path_of(match["path"]), match["path"]):  # the second: as answers were written before
            if (place := (path, *lines)) in links:
                return cited(place, links[place])
        return "\\" + _BEGINS.sub(lambda found: _ESCAPED.get(found[0], found[0]), match[0])
    if match["begins"] is not None:
        return _ESCAPED[match["begins"]]
    if match["fence"] is not None:
        return _as_text(match)
    return match[0]


def _as_text(match: re.Match[str]) -> str:
    """A fence whose content nobody draws: what it is about is named only where that is a language."""
    info, mark = match["info"] or match["about"] or "", match["mark"] or match["tildes"]
    drawn = _DRAWN.search(info) or not re.fullmatch(r"[ \t]*[\w+#.-]{0,40}[ \t]*", info)
    return f"{mark}text{match[0][len(mark) + len(info) :]}" if drawn else match[0]
