"""The keys of an installation: by which its services know each other, and which sign session tokens."""

from collections.abc import Mapping
from pathlib import Path

from cli.services import SERVICES
from runtime.embedded.child import make_folder, remembered_secret
from runtime.service_tokens import new_service_key, public_key_of, written


def remembered_keys(folder: Path) -> dict[str, str]:
    """The private key of each service, kept in `folder`; made there where one is missing. Raises StartError."""
    make_folder(folder)
    return {name: remembered_secret(folder / name, new_service_key) for name in SERVICES}


def public_keys(keys: Mapping[str, str]) -> dict[str, str]:
    """What the others may know of private keys."""
    return {name: public_key_of(key) for name, key in keys.items()}


def run_services() -> int:
    """Print new keys for services that are not started by `up`: what each has in its environment."""
    keys = {name: new_service_key() for name in SERVICES}
    print("# of every service")
    print(f"REPOSTREAM_SERVICE_PUBLIC_KEYS={written(public_keys(keys))}")
    for name, key in keys.items():
        print(f"# of {name} alone")
        print(f"REPOSTREAM_SERVICE_KEY={key}")
    return 0


def run_rotate() -> int:
    """Have the orchestrator publish the next key that signs session tokens. Raises ApiError."""
    from cli.api import connect

    made = connect().tokens_rotate()
    print(f"Key {made.kid} is published and signs from {made.signs_from:%Y-%m-%d %H:%M:%S} UTC: nobody is signed out.")
    return 0
