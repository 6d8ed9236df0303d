"""A pytest plugin that writes down which function of a project calls which, while its tests run.

    FACTS_ROOT=<project> FACTS_OUT=<file> python -m pytest -p recorder …

It stands alone: the project's own environment loads it. One JSON object: `pairs` of
[file, caller, line, file, callee, class that is made, wrapper], and `lines` that made any call at all.
"""

import json
import os
import sys
import threading
from pathlib import Path
from types import FrameType

_ROOT = os.path.realpath(os.environ.get("FACTS_ROOT", "."))
_OUT = os.environ.get("FACTS_OUT", "facts.json")
_THROUGH = ("contextlib.py", "functools.py")
_pairs: set[tuple[object, ...]] = set()
_lines: set[tuple[str, int]] = set()
_paths: dict[str, str | None] = {}


def _path(name: str) -> str | None:
    """The path below the project, None where a file is not of it."""
    if name not in _paths:
        real = os.path.realpath(name)
        inside = real.startswith(_ROOT + os.sep) and "site-packages" not in real and Path(real).is_file()
        _paths[name] = os.path.relpath(real, _ROOT) if inside else None
    return _paths[name]


def _made(frame: FrameType) -> str:
    """`file:Class` of what an `__init__` or `__new__` is making."""
    if frame.f_code.co_name not in {"__init__", "__new__"} or not frame.f_code.co_argcount:
        return ""
    first = frame.f_locals.get(frame.f_code.co_varnames[0])
    kind = first if isinstance(first, type) else type(first)
    module = sys.modules.get(kind.__module__)
    path = _path(getattr(module, "__file__", None) or "")
    return f"{path}:{kind.__qualname__}" if path else ""


def _look(frame: FrameType, event: str, _argument: object) -> None:
    if event == "c_call":
        path = _path(frame.f_code.co_filename)
        if path is not None:
            _lines.add((path, frame.f_lineno))
        return
    if event == "call" and (caller := frame.f_back) is not None:
        _look_at_call(frame, caller)


def _look_at_call(frame: FrameType, caller: FrameType) -> None:
    here = _path(frame.f_code.co_filename)
    there = _path(caller.f_code.co_filename)
    if there is not None:
        _lines.add((there, caller.f_lineno))
    if here is None:
        return
    while there is None and caller.f_code.co_filename.endswith(_THROUGH) and caller.f_back is not None:
        caller = caller.f_back
        there = _path(caller.f_code.co_filename)
    if there is None:
        return
    _note(frame, caller, here, there, "")
    if "<locals>" in caller.f_code.co_qualname and (above := caller.f_back) is not None:
        over = _path(above.f_code.co_filename)
        if over is not None:
            _note(frame, above, here, over, caller.f_code.co_qualname)


def _note(frame: FrameType, caller: FrameType, here: str, there: str, wrapper: str) -> None:
    called = (here, frame.f_code.co_qualname, _made(frame), wrapper)
    _pairs.add((there, caller.f_code.co_qualname, caller.f_lineno, *called))


def pytest_configure() -> None:
    """Begin."""
    threading.setprofile(_look)
    sys.setprofile(_look)


def pytest_unconfigure() -> None:
    """Write down what was seen."""
    sys.setprofile(None)
    said = {"pairs": sorted(map(list, _pairs), key=str), "lines": sorted(_lines)}
    Path(_OUT).write_text(json.dumps(said), encoding="utf-8")
