"""Schemathesis against the real application on real embedded servers, by its own command line."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Checks that are left out, each with its reason.
EXCLUDED = {
    "positive_data_acceptance": "an address, a ref and a cursor mean more than a schema can say: others are refused",
    "unsupported_method": "the router answers HEAD and OPTIONS by itself",
    "ignored_auth": "the local mode takes everybody on loopback for its one user, whatever they send",
    "negative_data_rejection": "in a query string every value is text, and the server reads `1` and `true` out of it",
}
# Server-sent events.
ENDLESS = ("analyses_live", "events_live", "conversations_stream", "rebuilds_live", "collections_live", "shadows_live")
# 503 where the host of an example cannot be reached, as from every test.
# rag_manager, which is not there.
ASKS_OTHERS = ("collections_state", "collections_begin", "collections_one", "generations_kept", "generations_activate")
ASKS_HOSTS = ("analyses_preflight", "contents_staleness", "searching_search", *ASKS_OTHERS)


@dataclass(frozen=True)
class Fuzzed:
    """What a run came to: how many cases it sent, and what it said where a check failed."""

    cases: int
    failed: bool
    said: str


def fuzz(
    url: str,
    folder: Path,
    *,
    phases: str,
    examples: int,
    seconds: int,
    seed: int | None = None,
    workers: int = 1,
    spend: int = 0,
) -> Fuzzed:
    """Run it against the API at `url` for at most `seconds`; the same cases each time where no `seed` is given.

    `spend` is for how many seconds fuzzing and stateful testing go on.
    """
    program = str(Path(sys.executable).with_name("schemathesis"))
    command = [program, "run", f"{url}/api/v1/openapi.json", "--phases", phases, "--max-examples", str(examples)]
    command += ["--generation-deterministic"] if seed is None else ["--seed", str(seed)]
    # Else every other request shows a made-up token, and nothing behind the sign-in is reached.
    command += ["--no-shrink", "--generation-with-security-parameters", "false", "--workers", str(workers)]
    command += ["--no-color", "--continue-on-failure", "--checks", "all", "--exclude-checks", ",".join(EXCLUDED)]
    command += ["--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "20"]
    if spend:
        command += ["--max-time", str(spend)]
    for name in (*ENDLESS, *ASKS_HOSTS):
        command += ["--exclude-operation-id", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=seconds)
    cases = re.search(r"([\d,]+) generated", done.stdout)
    return Fuzzed(int(cases[1].replace(",", "")) if cases else 0, done.returncode != 0, done.stdout + done.stderr)
