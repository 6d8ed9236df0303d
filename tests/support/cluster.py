"""The manifests under `k8s/`, read as the YAML that they are."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from cli.services import SERVICES
from runtime.secret_files import FOLDER, names_of, secrets_of
from runtime.settings_check import classes_of

ROOT = Path(__file__).parents[2]
BASE, OVERLAYS = ROOT / "k8s" / "base", ROOT / "k8s" / "overlays"
FROM_ELSEWHERE = {"ANONYMIZED_TELEMETRY", "RUST_LOG"}  # of Chroma's server
Object = dict[str, Any]


def read(path: Path) -> list[Object]:
    return [each for each in yaml.safe_load_all(path.read_text("utf-8")) if each]


def objects(kind: str = "") -> list[Object]:
    """What the base's kustomization lists, of one kind or all."""
    files = read(BASE / "kustomization.yaml")[0]["resources"]
    return [each for file in files for each in read(BASE / file) if kind in {"", each["kind"]}]


def workloads() -> list[Object]:
    return [each for each in objects() if each["kind"] in {"Deployment", "StatefulSet", "Job"}]


def name_of(thing: Mapping[str, Any]) -> str:
    return str(thing["metadata"]["name"])


def pod_of(workload: Object) -> Object:
    pod: Object = workload["spec"]["template"]["spec"]
    return pod


def container_of(workload: Object) -> Object:
    (container,) = pod_of(workload)["containers"]
    return dict(container)


def env_file(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def overlays() -> list[Path]:
    return sorted(path for path in OVERLAYS.iterdir() if path.is_dir())


def settings_in(folder: Path) -> dict[str, str]:
    """The ConfigMap of an overlay: the base's, and its own over it."""
    return env_file(BASE / "settings.env") | env_file(folder / "settings.env")


def mounted_secrets(workload: Object) -> list[str]:
    """The settings that a workload's pod cannot start without, as files."""
    found: list[str] = []
    for volume in pod_of(workload).get("volumes", []):
        sources = [source["secret"] for source in volume.get("projected", {}).get("sources", [])]
        sources += [volume["secret"]] if "secret" in volume else []
        found += [item["path"] for source in sources for item in source.get("items", [])]
    return found


def known_settings() -> dict[str, bool]:
    """Each setting that some service reads, and whether it is a secret, which may come from a file."""
    found = {FOLDER: False}
    for package in ("runtime", *SERVICES):
        for cls in classes_of(package):
            for field in cls.model_fields:
                found |= dict.fromkeys(names_of(cls, field), field in secrets_of(cls))
    for service in SERVICES:
        found |= {f"REPOSTREAM_{service.upper()}_{end}": False for end in ("HOST", "PORT")}
    return found


def strings(thing: object) -> Iterator[str]:
    """Every text in an object."""
    if isinstance(thing, Mapping):
        for value in thing.values():
            yield from strings(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from strings(value)
    elif isinstance(thing, str):
        yield thing
