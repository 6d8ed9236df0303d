"""The little HTML that the pages write themselves. Every value is escaped here and nowhere else. Pure."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

from web_ui.source import Run
from web_ui.words import visible

_PUNCTUATION = frozenset("\\`*_{}[]()<>#+-.!|~$&\"'/=@^")


def text(value: object) -> str:
    """A value as HTML text or as the value of a quoted attribute."""
    return escape(visible(str(value)), quote=True)


def label(value: str) -> str:
    """A value as a widget's label, which Streamlit reads as Markdown: every sign stands for itself."""
    flat = " ".join(visible(value).split())
    literal = "".join(f"\\{c}" if c in _PUNCTUATION else c for c in flat)
    return literal.replace(":", ":\u2060")  # a word joiner: no short code for an emoji, an icon or a colour


def span(kind: str, value: object, title: str = "") -> str:
    """A piece of text in one of the styles of `style.css`."""
    hint = f' title="{text(title)}"' if title else ""
    return f'<span class="rs-{kind}"{hint}>{text(value)}</span>'


def line(pieces: Iterable[str], kind: str = "facts") -> str:
    """Pieces of markup beside one another."""
    return f'<div class="rs-{kind}">{"".join(pieces)}</div>'


def pill(word: str, tone: str) -> str:
    """A state as a small coloured label."""
    return f'<span class="rs-pill rs-{text(tone)}">{text(word)}</span>'


def definitions(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values (plain text) in two columns."""
    return f'<dl class="rs-list">{"".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in rows)}</dl>'


def shares(rows: Sequence[tuple[str, float]]) -> str:
    """Shares (0 to 1) as one bar with its legend."""
    parts = "".join(
        f'<span class="rs-share rs-share-{index}" style="width:{share * 100:.2f}%"></span>'
        for index, (_, share) in enumerate(rows)
    )
    names = "".join(
        f'<span class="rs-key"><i class="rs-share-{index}"></i>{text(name)} <b>{share * 100:.1f} %</b></span>'
        for index, (name, share) in enumerate(rows)
    )
    return f'<div class="rs-bar">{parts}</div><div class="rs-keys">{names}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table of plain text."""
    return marked_table(head, (map(text, row) for row in rows), kind)


def link(value: object, address: str) -> str:
    """A link to another place of these pages."""
    return f'<a href="{text(address)}" target="_self">{text(value)}</a>'


def marked_table(head: Sequence[str], rows: Iterable[Iterable[str]], kind: str = "") -> str:
    """A table whose cells are markup already. It takes the focus, so that keys can scroll what is wider or longer."""
    titles = "".join(f"<th>{text(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="rs-table {text(kind)}" tabindex="0"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def treemap(boxes: Iterable[tuple[tuple[float, float, float, float], str, str, str, str]]) -> str:
    """Rectangles as (left, top, width, height) in shares (0 to 1), a tone (`tone-2`), a label, a title and a link."""
    parts = "".join(
        f'<a class="rs-box rs-{text(tone)}" href="{text(address)}" target="_self" title="{text(title)}" '
        f'aria-label="{text(title)}" style="left:{left * 100:.3f}%;top:{top * 100:.3f}%;width:{width * 100:.3f}%;'
        f'height:{height * 100:.3f}%"><span>{text(name)}</span></a>'
        for (left, top, width, height), tone, name, title, address in boxes
    )
    return f'<div class="rs-treemap" role="group" aria-label="Sizes of folders and files">{parts}</div>'


def legend(rows: Iterable[tuple[str, str]]) -> str:
    """Tones of a picture with what each stands for."""
    names = "".join(f'<span class="rs-key"><i class="rs-{text(tone)}"></i>{text(name)}</span>' for tone, name in rows)
    return f'<div class="rs-keys">{names}</div>'


def folded(title: str, inside: str) -> str:
    """Markup that is shown when somebody opens it by its title."""
    return f'<details class="rs-folded"><summary>{text(title)}</summary>{inside}</details>'


def source(
    lines: Sequence[Sequence[Run]], first: int, cited: range, address: Callable[[int], str] | None = None
) -> str:
    """Numbered, coloured lines; those in `cited` are marked, and each number leads to the `address` of its line."""

    def shown(number: int) -> str:
        if address is None:
            return f'<span class="rs-no">{number}</span>'
        place = f'href="{text(address(number))}" target="_self" tabindex="-1"'
        return f'<a class="rs-no" aria-label="Line {number}" {place}>{number}</a>'

    body = "".join(
        f'<div class="rs-row{" rs-cited" if number in cited else ""}">{shown(number)}'
        f"<code>{''.join(_run(run) for run in runs) or ' '}</code></div>"
        for number, runs in enumerate(lines, first)
    )
    return f'<div class="rs-source" tabindex="0">{body}</div>'


def _run(run: Run) -> str:
    kind, value = run
    return f'<span class="rs-tok-{kind}">{text(value)}</span>' if kind else text(value)
