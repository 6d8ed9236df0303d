"""Messages as a person sees them, and the lines that make them: taken from raise, throw, panic and error statements."""

import re
from collections.abc import Iterable, Iterator

from bench.retrieval.question_sets import Asked
from events.artifacts import SourceRow

FEWEST = 3  # words that the literal itself has
_RAISED = {
    "python": r"\braise \w[\w.]*\(\s*[rfb]{0,2}(?P<quote>\"|')(?P<text>(?:(?!(?P=quote)|\n).)+)(?P=quote)",
    "go": r"\b(?:errors\.New|fmt\.Errorf|panic)\(\s*(?:fmt\.Sprintf\()?(?P<quote>\")(?P<text>[^\"\n]+)\"",
    "java": r"\bthrow new \w[\w.]*\(\s*(?P<quote>\")(?P<text>[^\"\n]+)\"",
    "csharp": r"\bthrow new \w[\w.]*\(\s*\$?(?P<quote>\")(?P<text>[^\"\n]+)\"",
    "typescript": r"\bthrow new \w[\w.]*\(\s*(?P<quote>[\"'`])(?P<text>(?:(?!(?P=quote)|\n).)+)(?P=quote)",
    "rust": r"\b(?:panic|bail|anyhow|err)!\(\s*(?P<quote>\")(?P<text>[^\"\n]+)\"",
}
_HELD = re.compile(r"%[-+ #0]*[\d.*]*(?:\(\w+\))?[a-zA-Z]|\$?\{[^{}]*\}")
_VALUES = ("widget", "/srv/data/x1", "42", "blue moon")
_ASKED = ('Why do I get "{}"?', "{}", "What does the error “{}” mean?", "Where does `{}` come from?")


def message_questions(sources: Iterable[SourceRow]) -> Iterator[Asked]:
    """Questions with the text of a message whose placeholders hold something; each text that one place has alone."""
    places: dict[str, list[tuple[str, int]]] = {}
    for source in sources:
        pattern = _RAISED.get(source.language or "") if source.file_class == "code" else None
        for found in re.finditer(pattern, source.content) if pattern else ():
            line = source.content.count("\n", 0, found.start("text")) + 1
            places.setdefault(found["text"], []).append((source.path, line))
    number = 0
    for text, where in sorted(places.items()):
        if len(where) == 1 and len(re.findall(r"[A-Za-z]\w*", _HELD.sub(" ", text))) >= FEWEST and "\\" not in text:
            shown, form = _filled(text), _ASKED[number % len(_ASKED)]
            # A message by itself comes with its kind, as a terminal shows it.
            asked = f"ValueError: {shown}" if form == "{}" else form.format(shown)
            number += 1
            [(path, line)] = where
            yield Asked(asked, frozenset({path}), ((path, line, line),))


def _filled(text: str) -> str:
    values = iter(_VALUES * 5)
    return _HELD.sub(lambda _: next(values, "x"), text)
