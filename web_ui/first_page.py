"""What a browser is given first: Streamlit's own page with our styles, and with nothing shown before it has its place.

Streamlit draws a grey bar of another height in place of each element until its script is there, and its scripts are
asked for one after the other. Here those of what is seen first come with its own first ones, and `held.js` has the page
seen once what is in sight of it is there; `popovers.js` takes the keyboard into what a button unfolds,
`arrived.js` to the page that it led to.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit

_SCRIPTS = ("held.js", "popovers.js", "arrived.js")  # which work on the document itself
_HERE = Path(__file__).parent
_STATIC = Path(streamlit.__file__).with_name("static")
# Parts of Streamlit's page that one sees first on ours.
_FIRST = ("Html", "PageLink", "BidiComponent", "Button", "Checkbox", "TextInput", "Selectbox", "ChatInput")


_MISSING = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>No such page · Repostream</title><link rel="icon" href="/favicon.png"><style>{styles}</style></head>
<body class="rs-alone"><main>
<h1 class="rs-hero">There is no such page</h1>
<p class="rs-lead">The address is not whole, or it leads to a page that never was here.</p>
<p><a href="/">To the start page</a></p>
</main></body></html>
"""


@cache
def missing() -> str:
    """What is given for an address that no page has: Streamlit would show its start page below a dialog of its own."""
    return _MISSING.format(styles=_styles())


@cache
def index() -> str:
    """The page, as Streamlit is installed."""
    own = _STATIC.joinpath("index.html").read_text("utf-8")
    manifest = json.loads(_STATIC.joinpath("manifest.json").read_text("utf-8"))
    scripts = (_HERE.joinpath("components", name).read_text("utf-8") for name in _SCRIPTS)
    return made_of(own, manifest, _styles(), scripts)


def made_of(own: str, manifest: Mapping[str, Any], styles: str, scripts: Iterable[str]) -> str:
    """Streamlit's `own` page with the scripts that its `manifest` names, ours before them, and our `styles`.

    The styles are in the body: behind Streamlit's, which are written into the head, they win where both say something.
    """
    early = (f'<link rel="modulepreload" crossorigin href="./{file}">' for file in _files(manifest) if file not in own)
    ours = "".join(f"\n<script>{script}</script>" for script in scripts)
    begun = own.replace("<head>", f"<head>{ours}", 1)
    linked = begun.replace("</head>", "".join(f"{link}\n" for link in early) + "</head>", 1)
    return linked.replace('<div id="root">', f'<style>{styles}</style>\n<div id="root">', 1)


def _styles() -> str:
    files = (_HERE.joinpath("components", "palette.css"), _HERE.joinpath("style.css"))
    return "".join(file.read_text("utf-8") for file in files)


def _files(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The scripts of what is seen first, each with those it imports, in the order in which they are found."""
    dynamic = {part.get("name"): name for name, part in manifest.items() if part.get("isDynamicEntry")}
    seen: set[str] = set()
    waiting: Sequence[str] = [dynamic[name] for name in _FIRST if name in dynamic]
    while waiting:
        fresh = [name for name in dict.fromkeys(waiting) if name not in seen]
        seen.update(fresh)
        yield from (str(manifest[name]["file"]) for name in fresh)
        waiting = [each for name in fresh for each in manifest[name].get("imports", ())]
