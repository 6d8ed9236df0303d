"""Whether a service that runs is ready, and why not, by its own `/readyz`."""

import httpx

from runtime.health import lacking

_SECONDS = 4.0  # its own checks take two at the most


def why_not_ready(url: str, *, timeout: float = _SECONDS) -> str:
    """Empty where the service at `url` is ready; else what it lacks, or that it does not answer."""
    try:
        reply = httpx.get(f"{url}/readyz", timeout=timeout, trust_env=False)
        said = reply.json()
    except httpx.TimeoutException:
        return f"{url} does not answer within {timeout:g} s: it hangs, or has too much to do; see its log"
    except (httpx.HTTPError, ValueError) as error:
        return f"{url} does not answer: {type(error).__name__}"
    missing = lacking(reply.status_code, said)
    return f"{url} is not ready: {missing}" if missing else ""
