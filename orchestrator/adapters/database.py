"""An engine for requests: a statement or a lock that takes too long ends in an error, and so in a 503."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


def limit_statements(engine: AsyncEngine, seconds: float) -> AsyncEngine:
    """The same engine, whose new connections give up a statement after `seconds`, and a lock after half of that."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def limit(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:  # noqa: ANN401  # SQLAlchemy's signature
        parameters["server_settings"] = {
            **parameters.get("server_settings", {}),
            "statement_timeout": str(int(seconds * 1000)),
            "lock_timeout": str(int(seconds * 500)),
        }
        parameters["timeout"] = seconds
        parameters["command_timeout"] = seconds * 2

    return engine
