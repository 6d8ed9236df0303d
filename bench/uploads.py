"""What an upload of nearly 100 MB costs each process it passes, and the one that reads it.

`python -m bench uploads` starts an installation, sends one archive to the pages' origin and one to the API, has the
first cloned, and writes the largest resident sizes to bench/results/uploads.md.
"""

import io
import platform
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import psutil

from runtime.sealing import fresh_key
from tests.support.system import free_port
from tests.support.up import Up, wait_for

RESULTS = Path(__file__).parent / "results" / "uploads.md"
_MB = 1_000_000
_PIECE = 1 << 16
_OURS = {"sec-fetch-site": "same-origin"}
_READER = "processor.adapters.archive_child"


def an_archive(seed: int, *, size: int) -> bytes:
    """A zip of about `size` bytes: what cannot be packed, and two hundred modules."""
    random, out = Random(seed), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(200):
            lines = (f"def f{n}(a: int) -> int:\n    return a + {random.random()}\n" for n in range(100))
            archive.writestr(f"project/src/m{number}.py", "".join(lines))
        for number in range((size - out.tell()) // (2 * _MB)):
            archive.writestr(f"project/data/{number}.bin", random.randbytes(2 * _MB))
    return out.getvalue()


def pieces(raw: bytes) -> Iterator[bytes]:
    for begin in range(0, len(raw), _PIECE):
        yield raw[begin : begin + _PIECE]


def peak(process: psutil.Process) -> float:
    """The largest resident size that a process ever had, MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1_024


def send(url: str, raw: bytes) -> tuple[str, float]:
    """Upload; the address of the upload, and the seconds it took."""
    begun = time.monotonic()
    headers = {**_OURS, "content-length": str(len(raw))}
    reply = httpx.post(f"{url}/api/v1/uploads?name=a.zip", content=pieces(raw), headers=headers, timeout=600)
    reply.raise_for_status()
    return str(reply.json()["url"]), time.monotonic() - begun


def clone(api: str, url: str, processor: psutil.Process) -> tuple[float, float]:
    """Have an upload analysed; seconds until it was cloned, and the largest size of the process that read it, MiB."""
    begun, largest = time.monotonic(), 0.0
    analysis = httpx.post(f"{api}/api/v1/analyses", json={"url": url}).json()["analysis_id"]

    def cloned() -> bool:
        nonlocal largest
        for child in processor.children(recursive=True):
            try:
                if _READER in child.cmdline():
                    largest = max(largest, peak(child))
            except (psutil.NoSuchProcess, psutil.ZombieProcess, FileNotFoundError, StopIteration):
                continue
        view = httpx.get(f"{api}/api/v1/analyses/{analysis}").json()
        assert view["state"] != "failed", view
        return view["commit"] is not None

    wait_for(cloned, 300, "the upload is cloned")
    return time.monotonic() - begun, largest


def main() -> None:
    load = psutil.getloadavg()[0]
    settings = {
        f"REPOSTREAM_{name}_PORT": str(free_port()) for name in ("ORCHESTRATOR", "WEB_UI", "POSTGRES", "VALKEY")
    }
    first, second = an_archive(1, size=98 * _MB), an_archive(2, size=98 * _MB)
    with tempfile.TemporaryDirectory() as folder:
        services = ("orchestrator", "processor", "web_ui")
        with Up(Path(folder) / "home", services=services, REPOSTREAM_SECRET_KEY=fresh_key(), **settings) as up:
            note = up.wait_ready()
            parts = {name: up.child(name) for name in services}
            before = {name: peak(process) for name, process in parts.items()}
            url, by_page = send(note["page"], first)
            _, by_api = send(note["api"], second)
            cloned, reader = clone(note["api"], url, parts["processor"])
            after = {name: peak(process) for name, process in parts.items()}
    rows = [f"| {name} | {before[name]:.0f} MiB | {after[name]:.0f} MiB |" for name in services]
    RESULTS.write_text(
        f"""# Uploads of {len(first) / _MB:.0f} MB

`python -m bench uploads` on {psutil.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()};
load average before it, of other work: {load:.1f}. One zip through the pages' origin, then another straight to the API,
then the first is cloned. Largest resident size of each process (`VmHWM`), before and after all of it; 300 MiB in the
API's process are aimed at.

| process | before | at its peak |
|---|---|---|
{chr(10).join(rows)}
| the child that reads the archive | | {reader:.0f} MiB |

| | seconds |
|---|---|
| through the pages to the end of the answer | {by_page:.1f} |
| straight to the API | {by_api:.1f} |
| asked for → cloned | {cloned:.1f} |
"""
    )
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
