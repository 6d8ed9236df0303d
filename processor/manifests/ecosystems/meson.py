"""C and C++ by Meson: `meson.build` and `subprojects/*.wrap`. Read, never run."""

import re
from itertools import takewhile

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.tokens import HASH, Call, argument, calls, tokens

_WRAP = re.compile(r"\s*(directory|revision|url|source_filename|wrapdb_version)\s*=\s*(\S{1,300})\s*")

_RELEASE = re.compile(r"(.{1,200}?)(?:-v?(\d[\w.+-]{0,80}))?")  # `fmt-9.1.0`, the folder of a release


def parse_meson(text: Text) -> Manifest:
    """`meson.build`: the calls of `project`, `dependency`, `subproject`, `executable`."""
    name = licence = ""
    found: list[Dependency] = []
    programs: list[EntryPoint] = []
    for call in calls(tokens(text, HASH)):
        first = next(iter(call.inside), None)
        if first is None or first.kind != "text":
            continue
        if call.name == "project":
            name, licence = first.value, argument(call.inside, "license")
        elif call.name in {"dependency", "subproject"}:
            group = "" if call.name == "dependency" else "subproject"
            found.append(Dependency(first.value, _version(call), _scope(call), call.line, group=group))
        elif call.name == "executable":
            programs.append(EntryPoint(first.value, ""))
    return Manifest("cpp", name=name, licence=licence, dependencies=limited(found), entry_points=tuple(programs[:100]))


def _version(call: Call) -> str:
    """What `version` says: a text, or a list of texts that all hold (of which the brackets are gone)."""
    values = [token.value for token in call.inside]
    at = values.index("version") if "version" in values else len(values)
    listed = takewhile(lambda token: token.kind == "text" or token.value == ",", call.inside[at + 2 :])
    return ", ".join(token.value for token in listed if token.kind == "text")


def _scope(call: Call) -> str:
    values = [token.value for token in call.inside]
    at = values.index("required") if "required" in values else None
    if at is not None and values[at + 1 : at + 3] and values[at + 2 : at + 3] != ["true"]:
        return "optional"
    is_native = "native" in values and values[values.index("native") + 2 :][:1] == ["true"]
    return "build" if is_native else "runtime"


def parse_wrap(text: Text) -> Manifest:
    """A wrap: where a subproject comes from."""
    said: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.lines, 1):
        if (match := _WRAP.fullmatch(line[:500])) is not None and match[1] not in said:
            said[match[1]], lines[match[1]] = match[2], number
    url = said.get("url", "")
    folder = _RELEASE.fullmatch(said.get("directory") or url.rpartition("/")[2].removesuffix(".git"))
    name = folder[1] if folder is not None else ""
    place = lines.get("directory") or lines.get("url", 0)
    version = said.get("revision") or said.get("wrapdb_version") or (folder[2] if folder is not None else "") or ""
    found = Dependency(name, version, "runtime", place, group=url or "wrap")
    return Manifest("cpp", dependencies=limited([found]))


FORMATS = (Format(r"meson\.build", parse_meson), Format(r".+\.wrap", parse_wrap, folder=r"(?:.*/)?subprojects"))
