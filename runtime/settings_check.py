"""What is set for one process, from where, and what is missing or wrong; for people, without any secret's value."""

import importlib
import os
import pkgutil
from collections.abc import Iterator, Sequence

from pydantic import SecretStr, ValidationError
from pydantic_settings.exceptions import SettingsError

from runtime.redaction import redact
from runtime.secret_files import Kind, Settings, names_of, origin_of, secrets_of
from runtime.settings_rules import RULES, Finding, Said, State

ALL = "all services"


def classes_of(package: str) -> Iterator[type[Settings]]:
    """The settings classes of a package: those of its modules `settings`, `sign_in_settings` …"""
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if info.name == "settings" or info.name.endswith("_settings"):
            module = importlib.import_module(f"{package}.{info.name}")
            classes = (value for value in vars(module).values() if isinstance(value, type))
            yield from (cls for cls in classes if issubclass(cls, Settings) and cls.__module__ == module.__name__)


def check(classes: Sequence[tuple[str, type[Settings]]]) -> Iterator[Finding]:
    """What is set in this process's environment, class by class, and what the rules say of it."""
    values: dict[str, str] = {name: value for name, value in os.environ.items() if name.startswith("REPOSTREAM_")}
    sources: dict[str, str] = {}
    services: dict[str, str] = {}
    broken: list[Finding] = []
    for service, cls in classes:
        try:
            made = cls()
        except (SettingsError, ValidationError) as error:
            broken.append(_broken(service, cls, error))
            made = None
        for field in cls.model_fields:
            setting = names_of(cls, field)[0]
            services.setdefault(setting, service)
            sources.setdefault(setting, _source(cls, field))
            if made is not None and sources[setting]:
                values[setting] = _text(getattr(made, field))
    said = {(item.setting, item.detail): item for rule in RULES for item in rule(values)}
    complained = {item.setting for item in said.values()}
    yield from broken
    for setting, source in sources.items():
        if source and setting not in complained:
            yield Finding(services[setting], setting, State.OK, source, "set")
    for item in said.values():
        yield _finding(item, services, sources)


def _finding(item: Said, services: dict[str, str], sources: dict[str, str]) -> Finding:
    source = sources.get(item.setting) or ("environment" if os.environ.get(item.setting) else "not set")
    return Finding(services.get(item.setting, ALL), item.setting, item.state, source, item.detail)


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _source(cls: type[Settings], field: str) -> str:
    """Where a value comes from, for people; empty where it is the default."""
    if field in secrets_of(cls):
        origin = origin_of(cls, field)
        if origin.kind is Kind.UNSET:
            return ""
        return f"{origin.path} ({origin.name})" if origin.path is not None else origin.name
    return next((name for name in names_of(cls, field) if os.environ.get(name)), "")


def _broken(service: str, cls: type[Settings], error: SettingsError | ValidationError) -> Finding:
    """A class that cannot be read. pydantic's own words repeat the value, so only the place and the kind are said."""
    if isinstance(error, ValidationError):
        places = {str(item["loc"][0]): item["msg"] for item in error.errors(include_input=False) if item["loc"]}
        names = [names_of(cls, place)[0] if place in cls.model_fields else place for place in places]
        return Finding(service, ", ".join(names), State.WRONG, "environment", redact("; ".join(places.values())))
    name, _, detail = str(error).partition(": ")
    return Finding(service, name, State.WRONG, name, redact(detail))
