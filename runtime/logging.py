"""Logging: structlog over the standard library, one line an event, with one redactor for all secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(
    r"(?P<url>(?<=://)[^/\s:@]*:[^/\s@]+(?=@))"
    r"|gh[opsur]_[A-Za-z0-9_.\-]{10,}|github_pat_[A-Za-z0-9_]{10,}|sk-[A-Za-z0-9_\-]{10,}"
    r"|(?i:bearer|basic)\s+[A-Za-z0-9._~+/=\-]{8,}|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"
)


def redact(text: str) -> str:
    """`text` with whatever looks like a credential replaced by `[redacted]`."""
    return _SECRET.sub("[redacted]", text)


def _redact_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401  # structlog's own signature
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def configure_logging(*, service: str, level: str = "INFO", format: str = "json") -> None:  # noqa: A002  # the setting's name
    """Send all logging, ours and the libraries', to standard error as one redacted line an event."""
    render = structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render], foreign_pre_chain=shared
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    structlog.contextvars.bind_contextvars(service=service)
    for noisy in ("httpx", "httpcore", "chromadb", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
