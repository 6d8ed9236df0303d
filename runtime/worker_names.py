"""What a worker is called in the log, in leases and on pages."""

import os
import re
import socket

_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 63  # characters of a host's name, as DNS and Kubernetes have it


def worker_name(service: str, *, host: str | None = None, pid: int | None = None) -> str:
    """`processor-pod-a-7`: the service, the host and the process; `host` and `pid` are this process's own by default.

    The number alone tells nothing in containers, where each service's process has the same one.
    """
    place = _UNUSUAL.sub("-", socket.gethostname() if host is None else host)[:_LONGEST].strip("-.") or "host"
    return f"{service}-{place}-{os.getpid() if pid is None else pid}"
