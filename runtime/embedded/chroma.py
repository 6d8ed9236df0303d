"""The embedded Chroma: its Rust server as a child of ours."""

import http.client
import os
import signal
import subprocess
import sys

from runtime.embedded.child import StartError, make_folder, tied_to_parent
from runtime.embedded.server import EmbeddedServer


class EmbeddedChroma(EmbeddedServer):
    """The Chroma server on 127.0.0.1. It has no sign-in of its own; vectors can be rebuilt from the artifacts."""

    name = "Chroma"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`."""
        if not self.port:
            raise StartError("Chroma was not started yet.")
        return f"http://127.0.0.1:{self.port}"

    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        data = self.folder / "data"
        make_folder(data)
        return subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
            [sys.executable, "-P", "-m", "runtime.embedded.chroma_server", str(data), "127.0.0.1", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=data,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False", "RUST_LOG": "warn"},
            start_new_session=True,
            preexec_fn=tied_to_parent(signal.SIGTERM),  # noqa: PLW1509  # one prctl call, nothing that locks
        )

    def _serves(self) -> bool:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            client.request("GET", "/api/v2/heartbeat")
            return client.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()
