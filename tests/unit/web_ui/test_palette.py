"""The colours can be read: every text colour on every ground it stands on, light and dark."""

import re
from pathlib import Path

import pytest

import web_ui

STYLE = Path(web_ui.__file__).parent / "components" / "palette.css"
READABLE = 4.5  # the least contrast of small text: WCAG 2.2, 1.4.3
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--rs-([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE.read_text("utf-8"))
}
GROUNDS = ("surface", "raised")
TEXTS = ("ink", "muted", "accent", "good", "warn", "bad")
CODE = tuple(name for name in COLOURS if name.startswith("code-"))
PAIRS = [
    *((text, ground) for text in (*TEXTS, *CODE) for ground in GROUNDS),
    *((tone, f"{tone}-soft") for tone in ("accent", "good", "warn", "bad")),
    *(("ink", f"{tone}-soft") for tone in ("accent", "good", "warn", "bad")),
    *((code, "accent-soft") for code in CODE),  # cited lines
    ("muted", "accent-soft"),  # and their numbers
]


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


BOXES = re.findall(
    r"\.rs-((?:tone|heat)-\d) \{ background: light-dark\((#\w{6}), (#\w{6})\)",
    (Path(web_ui.__file__).parent / "style.css").read_text("utf-8"),
)


@pytest.mark.parametrize(("scheme", "label"), [(0, "#ffffff"), (1, "#0c111d")], ids=["light", "dark"])
def test_the_name_on_each_rectangle_can_be_read(scheme: int, label: str) -> None:
    assert len(BOXES) == 11
    poor = {name: round(contrast(shades[scheme], label), 2) for name, *shades in BOXES}

    assert {name: value for name, value in poor.items() if value < READABLE} == {}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_can_be_read_on_every_ground(scheme: int) -> None:
    assert len(CODE) == 6
    poor = {
        f"{text} on {ground}": round(contrast(COLOURS[text][scheme], COLOURS[ground][scheme]), 2)
        for text, ground in PAIRS
    }

    assert {pair: value for pair, value in poor.items() if value < READABLE} == {}
