"""The terminal as the commands write to it: nothing that a repository or a model says can command it."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from cli.plain import visible


class Screen(Console):
    """A console whose own styles and movements pass, and no others."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is drawn, made visible. Everything that is printed or kept live goes through here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
