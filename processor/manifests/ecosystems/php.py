"""PHP: `composer.json`, `composer.lock`."""

from processor.manifests.model import Dependency, EntryPoint, Format, Manifest, Text, limited
from processor.manifests.nodes import read_json


def parse_composer(text: Text) -> Manifest:
    """`composer.json`; `php` and `ext-…` are the platform. Raises ValueError where it is not JSON."""
    root = read_json(text)
    licence = root.get("license")
    found = [
        Dependency(name, constraint.text if scope != "optional" else "", scope, constraint.line)  # else a reason
        for key, scope in (("require", "runtime"), ("require-dev", "dev"), ("suggest", "optional"))
        for name, constraint in root.get(key).items()
        if "/" in name
    ]
    programs = root.get("bin")
    targets = [programs.text] if programs.text else [target.text for target in programs]
    scripts = root.get("scripts").items()
    return Manifest(
        "php",
        name=root.get("name").text,
        description=root.get("description").text,
        licence=licence.text or " OR ".join(one.text for one in licence),
        dependencies=limited(found),
        entry_points=(
            *(EntryPoint(target.rpartition("/")[2], target) for target in targets),
            *(EntryPoint(name, line.text or "; ".join(one.text for one in line), "script") for name, line in scripts),
        ),
    )


def parse_lock(text: Text) -> Manifest:
    """`composer.lock`; it does not say what is asked for directly. Raises ValueError where it is not JSON."""
    root = read_json(text)
    return Manifest(
        "php",
        dependencies=limited(
            Dependency(one.get("name").text, "", "", one.get("name").line, one.get("version").text, group=group)
            for key, group in (("packages", ""), ("packages-dev", "dev"))
            for one in root.get(key)
        ),
    )


FORMATS = (Format(r"composer\.json", parse_composer), Format(r"composer\.lock", parse_lock, is_lock=True))
