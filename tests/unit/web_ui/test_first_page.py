"""The page that comes first: Streamlit's, with our styles and the scripts of what is seen first."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
import streamlit

from web_ui import first_page
from web_ui.guard import policy

STATIC = Path(streamlit.__file__).with_name("static")
OWN = STATIC.joinpath("index.html").read_text("utf-8")
PRELOADED = re.compile(r'<link rel="modulepreload" crossorigin href="\./([^"]+)">')


def test_the_page_is_held_before_a_script_of_streamlits_runs_and_keeps_all_of_its_own() -> None:
    page = first_page.index()

    assert page.index("rs-held") < page.index('src="./static/js/index.')
    assert [line for line in OWN.splitlines() if line.strip() not in page] == []


def test_our_styles_stand_behind_streamlits() -> None:
    head, body = first_page.index().split("</head>")

    assert "--rs-ink" not in head
    assert body.index("--rs-ink") < body.index(".rs-hero") < body.index('<div id="root">')


@pytest.mark.parametrize(
    "part", ["Html", "PageLink", "BidiComponent", "Button", "Checkbox", "TextInput", "Selectbox", "ChatInput"]
)
def test_the_scripts_of_what_is_seen_first_are_there_and_asked_for_at_once(part: str) -> None:
    asked = PRELOADED.findall(first_page.index())
    early = [file for file in asked if file not in OWN]

    assert any(re.fullmatch(rf"static/js/{part}\.[\w-]+\.js", file) for file in early)
    assert len(asked) == len(set(asked))
    assert [file for file in asked if not STATIC.joinpath(file).is_file()] == []


def test_what_a_part_imports_comes_with_it() -> None:
    manifest = {
        "Html.tsx": {"name": "Html", "file": "html.js", "isDynamicEntry": True, "imports": ["a", "index.html"]},
        "Other.tsx": {"name": "Other", "file": "other.js", "isDynamicEntry": True},
        "a": {"file": "a.js", "imports": ["b"]},
        "b": {"file": "b.js", "imports": ["a"]},
        "index.html": {"file": "index.js"},
    }
    own = '<html><head><script src="index.js"></script></head><body><div id="root"></div></body></html>'

    assert PRELOADED.findall(first_page.made_of(own, manifest, "", ())) == ["html.js", "a.js", "b.js"]


@pytest.mark.parametrize("name", ["held.js", "popovers.js", "arrived.js"])
def test_the_policy_lets_our_scripts_run(name: str) -> None:
    script = Path(first_page.__file__).parent.joinpath("components", name).read_text("utf-8")

    assert f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy(first_page.index())
