"""The terminal as the commands write to it: nothing that a repository or a model says can command it."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from cli.plain import visible


class Screen(Console):
    """A console whose own styles and movements pass, and no others.

    No word of what it prints is taken for markup, or for an emoji's name.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # Rich's own
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def say(self, said: str | Text, *, style: str | None = None, end: str = "\n") -> None:
        """Print a line as it is, however long: a terminal breaks it, and a pipe gets it whole."""
        self.print(said, style=style, end=end, soft_wrap=True)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is drawn, made visible. Everything that is printed or kept live goes through here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def tell(what: BaseModel, lines: Iterable[str], *, as_json: bool) -> None:
    """Print `what` as one line of JSON, letter by letter as it is; or the lines for people."""
    if as_json:
        print(what.model_dump_json(), flush=True)
        return
    screen = Screen()
    for line in lines:
        screen.say(line)
