import re
from html.parser import HTMLParser

import pytest

from web_ui import markup

HOSTILE = "\"><img src=x onerror=alert(1)>'&<script>"


def written() -> list[str]:
    return [
        markup.text(HOSTILE),
        markup.span("name", HOSTILE, title=HOSTILE),
        markup.pill(HOSTILE, HOSTILE),
        markup.definitions([(HOSTILE, HOSTILE)]),
        markup.shares([(HOSTILE, 0.5)]),
        markup.table([HOSTILE], [[HOSTILE]], HOSTILE),
        markup.source([[("", HOSTILE), ("string", HOSTILE)]], 1, range(1, 2)),
    ]


class Seen(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.said = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.mark.parametrize("html", written())
def test_a_hostile_value_opens_no_tag_and_closes_no_attribute(html: str) -> None:
    seen = Seen(html)

    assert seen.tags <= {"div", "span", "dl", "dt", "dd", "b", "i", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert seen.attributes <= {"class", "title", "style", "tabindex"}
    assert HOSTILE in seen.said


def test_a_label_means_nothing_to_markdown() -> None:
    hostile = "![x](http://e/) :smile: :material/home: $x$ **b** `c` <i> # d"
    label = markup.label(hostile)

    assert re.sub(r"\\(.)", r"\1", label).replace("\u2060", "") == hostile
    assert not re.search(r"(?<!\\)[\[\]()*_`$<>#!]", label)
    assert not re.search(r":(?!\u2060)", label)


def test_source_lines_are_numbered_from_the_first_and_the_cited_ones_are_marked() -> None:
    html = markup.source([[("", "a")], [("keyword", "def")], []], 10, range(11, 12))

    assert html.count('<div class="rs-row') == 3
    assert html.count("rs-cited") == 1
    assert (
        '<div class="rs-row rs-cited"><span class="rs-no">11</span><code><span class="rs-tok-keyword">def</span>'
        in html
    )


def test_the_number_of_a_line_leads_to_its_address() -> None:
    html = markup.source([[("", "a")]], 7, range(0), lambda line: f'/analysis?open="a b":{line}')

    assert 'aria-label="Line 7" href="/analysis?open=&quot;a b&quot;:7" target="_self" tabindex="-1">7</a>' in html


def test_shares_fill_the_bar_by_their_size() -> None:
    html = markup.shares([("Python", 0.75), ("C", 0.25)])

    assert 'style="width:75.00%"' in html
    assert "<b>25.0 %</b>" in html
