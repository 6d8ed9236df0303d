"""What every component in the browser needs is written once."""

from collections import defaultdict
from pathlib import Path

import web_ui

FOLDER = Path(web_ui.__file__).parent / "components"


def test_only_one_place_has_the_page_drawn_again_until_it_shows_what_was_heard() -> None:
    scripts = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.js")}

    assert [name for name, script in scripts.items() if "busy()" in script] == ["dom.js"]
    askers = {name for name, script in scripts.items() if "askingAgain({" in script}
    assert askers == {"back.js", "live_answer.js", "talk.js", "timeline.js", "work.js"}


def test_no_two_style_sheets_say_the_same() -> None:
    named = defaultdict(list)
    for path in FOLDER.glob("*.css"):
        named[path.read_text("utf-8").strip()].append(path.name)

    assert [names for names in named.values() if len(names) > 1] == []
