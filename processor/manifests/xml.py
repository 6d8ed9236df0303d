"""XML as elements that know their lines. A document type is refused: entities in it could explode or read files.

In:  a text.
Out: the root element, with names free of namespaces.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from processor.manifests.model import Text, text_of

_MAX_DEPTH = 100
_MAX_ELEMENTS = 200_000


@dataclass
class Element:
    """One element. `said` is the text directly in it."""

    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """Its text on one line."""
        return text_of("".join(self.pieces))

    def child(self, *names: str) -> "Element":
        """The first child of that name, and of that the next; an empty element where there is none."""
        found = self
        for name in names:
            found = next((child for child in found.children if child.name == name), NOTHING)
        return found

    def all(self, *names: str) -> Iterator["Element"]:
        """The elements of these names at any depth, in order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            if element.name in names:
                yield element
            waiting.extend(reversed(element.children))


NOTHING = Element("", 0)


def read_xml(text: Text) -> Element:
    """The root. Raises ValueError."""
    parser = expat.ParserCreate()
    top = Element("", 0)
    open_elements = [top]
    seen = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen
        seen += 1
        if seen > _MAX_ELEMENTS or len(open_elements) > _MAX_DEPTH:
            raise ValueError("too many elements, or nested too deeply")
        element = Element(name.rpartition(":")[2], parser.CurrentLineNumber, attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def say(data: str) -> None:
        open_elements[-1].pieces.append(data)

    def refuse(*_: object) -> None:
        raise ValueError("a document type is not read")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, say
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text.content.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    if not top.children:
        raise ValueError("there is no element")
    return top.children[0]
