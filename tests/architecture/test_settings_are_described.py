"""docs/operating.md names every setting that a service reads."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices

from runtime.secret_files import Settings

_TEXT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
_PACKAGES = ("runtime", "events", "orchestrator", "processor", "ai_engine", "rag_manager", "web_ui")
_SAID_TOGETHER = {  # how the table writes what several services have alike
    r"REPOSTREAM_[A-Z_]+_(HOST|PORT)": "`REPOSTREAM_<SERVICE>_HOST`, `_PORT`",
    r"REPOSTREAM_FORMER_EMBEDDER_.*": "with all the settings of the one above",
}


def _classes() -> Iterator[type[Settings]]:
    for package in map(importlib.import_module, _PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("settings"):
                found = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
                yield from (each for _, each in found if issubclass(each, Settings) and each.__module__ == module.name)


def _names() -> set[str]:
    """Of the environment; of several that mean one thing, the first."""
    names = set()
    for settings in _classes():
        for name, field in settings.model_fields.items():
            alias = field.validation_alias
            first = alias.choices[0] if isinstance(alias, AliasChoices) else alias
            names.add(str(first or f"{settings.model_config.get('env_prefix', '')}{name}").upper())
    return names


def _is_described(name: str) -> bool:
    together = next((said for form, said in _SAID_TOGETHER.items() if re.fullmatch(form, name)), None)
    if together is not None:
        return together in _TEXT
    if f"`{name}`" in _TEXT or f"{name}=" in _TEXT:
        return True
    words = name.split("_")
    parts = (("_".join(words[:at]), "_".join(words[at:])) for at in range(1, len(words)))
    return any(_is_in_a_row_of(head, tail) for head, tail in parts)


def _is_in_a_row_of(head: str, tail: str) -> bool:
    """Whether a row that names a setting which begins with `head` has this end as another one's."""
    rows = (row for row in _TEXT.splitlines() if row.startswith(f"| `{head}"))
    return any(f"`…_{tail}`" in row or f"`_{tail}`" in row for row in rows)


def test_every_setting_is_described() -> None:
    names = _names()

    assert len(names) > 100
    assert {name for name in names if not _is_described(name)} == set()
