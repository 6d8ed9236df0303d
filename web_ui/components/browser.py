"""The components that run in the browser: registered once, mounted by the pages."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from runtime.client.shapes import TakenOver, UploadView
from web_ui.proxy import BUNDLES, PREFIX, UPLOADS

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent
STALLED_AFTER = 30  # seconds of silence of a running stage


def _read(*names: str) -> str:
    return "\n".join(_FOLDER.joinpath(name).read_text("utf-8") for name in names)


@cache
def _component(name: str, *scripts: str, style: str = "") -> "ComponentRenderer":
    return st.components.v2.component(
        f"repostream_{name}",
        css=_read("palette.css", "base.css", f"{style or name}.css"),
        js=_read("dom.js", *scripts, f"{name}.js"),
    )


def _ignore() -> None:
    """A trigger's value is read from the result; the rerun is what matters."""


def timeline(data: dict[str, object], key: str) -> None:
    """The stages of an analysis, live; runs the page again when what it shows beside them has changed."""
    extra = {"api": PREFIX, "stalled_after": STALLED_AFTER}
    with st.container(key="stages"):  # which has its place before the component has its script
        _component("timeline", "fold.js")(key=key, data=data | extra, on_changed_change=_ignore)


def live_answer(question_id: str, steps: list[dict[str, object]]) -> None:
    """An answer while it is written, with the steps that are known; runs the page again when it is done."""
    data = {"api": PREFIX, "question_id": question_id, "steps": steps}
    _component("live_answer")(key=f"live-{question_id}", data=data, on_ended_change=_ignore)


def talk(conversation_id: str, version: int, questions: list[str]) -> None:
    """Runs the page again when somebody asks, elsewhere, what is not among the `questions` that are shown."""
    data = {"api": PREFIX, "conversation_id": conversation_id, "version": version, "questions": questions}
    _component("talk", style="unseen")(key=f"asked-{conversation_id}", data=data, on_asked_change=_ignore)


def work(path: str, state: str, done: int = 0) -> None:
    """Listens to the work at `path` of the API, and runs its fragment again when it stands otherwise than is shown."""
    data = {"api": PREFIX, "path": path, "shown": f"{state} {done}"}
    _component("work")(key=f"work-{path}", data=data, on_moved_change=_ignore)


def back(analysis_id: str) -> None:
    """Runs a page again that could not be drawn, once the API answers."""
    data = {"api": PREFIX, "analysis_id": analysis_id}
    _component("back", style="unseen")(key=f"back-{analysis_id}", data=data, on_back_change=_ignore)


class Pressed(NamedTuple):
    """What was pressed in an answer just now: a citation (`path:first-last`), or a button (`up`, `again` …)."""

    opened: str | None
    act: str | None


def answer(data: dict[str, object], key: str) -> Pressed:
    """One answer with its citations, its evidence and the buttons that `data` has."""
    found = _component("answer")(key=key, data=data, on_open_change=_ignore, on_act_change=_ignore)
    opened, act = found.get("open"), found.get("act")
    return Pressed(str(opened) if opened else None, str(act) if act else None)


def link_secret(prefix: str, *, stays: bool) -> str | None:
    """The secret behind the `#` of the address, or the last one of this tab; empty for none, None until it is known.

    It `stays` in the address, or is taken out of it.
    """
    data = {"prefix": prefix, "stays": stays}
    found = _component("link_secret", style="unseen")(key=f"link-{prefix}", data=data, on_secret_change=_ignore).get(
        "secret"
    )
    return None if found is None else str(found)


def upload() -> UploadView | None:
    """Where an archive is dropped or chosen; what has come just now."""
    sent = _sent(
        "upload",
        to=UPLOADS,
        named=True,
        name="Archive",
        choose="Choose an archive",
        hint="or drop it here: zip, tar, tar.gz, tar.bz2, tar.xz or tar.zst.",
        types=".zip,.tar,.gz,.tgz,.bz2,.tbz2,.xz,.txz,.zst,.tzst",
    )
    return UploadView.model_validate_json(sent) if sent else None


def bundle() -> TakenOver | None:
    """Where a bundle is dropped or chosen; what became of one that has come just now."""
    hint = "or drop it here: a file that another installation exported."
    sent = _sent("bundle", to=BUNDLES, named=False, name="Bundle", choose="Choose a bundle", hint=hint, types=".zip")
    return TakenOver.model_validate_json(sent) if sent else None


def _sent(key: str, **data: object) -> str | None:
    """What the API answered to a file that was sent from the box `key` just now."""
    answer = _component("upload")(key=key, data=data, on_uploaded_change=_ignore).get("uploaded")
    return str(answer) if answer else None


def download(label: str, href: str, *, title: str = "", streamed: bool = False) -> None:
    """A link to a file of the API's, which the browser fetches and this process does not hold; refusals beside it.

    `streamed`: it is sent while it is made, and may be of any length.
    """
    data = {"label": label, "href": href, "title": title, "streamed": streamed}
    _component("download")(key=f"download-{label}", data=data, width="content")


def module_map(data: dict[str, object], key: str) -> str | None:
    """What is right below a folder as a graph; the path of what was opened in it just now."""
    opened = _component("module_map")(key=key, data=data, on_opened_change=_ignore).get("opened")
    return str(opened) if opened else None


def inspector(data: dict[str, object], key: str) -> None:
    """The history of a stream: slider, what each event changed, list, timeline and causes; live while it grows."""
    _component("inspector", "event_list.js", "picture.js", "drawings.js")(key=key, data=data | {"api": PREFIX})
