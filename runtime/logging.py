"""Logging: structlog over the standard library, one line an event, with one redactor for all secrets."""

import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import Any

import structlog

from runtime.redaction import redact, redact_all


def _redact_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401  # structlog's own signature
    return {key: value if key.startswith("_") else redact_all(value) for key, value in event.items()}


def _redacted(render: structlog.typing.Processor) -> structlog.typing.Processor:
    """What `render` makes, redacted once more: it has ways of its own to turn values into text."""

    def line(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:  # noqa: ANN401  # structlog's own signature
        return redact(str(render(logger, method, event)))

    return line


def configure_logging(*, service: str, level: str = "INFO", format: str = "json") -> None:  # noqa: A002  # the setting's name
    """Send all logging, ours and the libraries', to standard error as one redacted line an event."""
    render = _redacted(structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer())
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


def log_uncaught() -> None:
    """Log what ends a process or a thread of a service: Python itself would print it past the redactor."""
    sys.excepthook = lambda _kind, error, _trace: _say_uncaught(error)
    threading.excepthook = lambda thread: _say_uncaught(thread.exc_value)


def _say_uncaught(error: BaseException | None) -> None:
    logging.getLogger(__name__).critical("uncaught", exc_info=error)
