"""The one way to PostgreSQL: an async SQLAlchemy engine over asyncpg."""

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runtime.settings import DatabaseSettings


def create_engine(settings: DatabaseSettings, *, application: str) -> AsyncEngine:
    """An engine whose connections carry `application` as their name and use READ COMMITTED.

    Raises ValueError where no URL is set: the caller decides whether that means the embedded server.
    """
    if not settings.url.get_secret_value():
        raise ValueError("REPOSTREAM_DATABASE_URL is not set")
    url = make_url(settings.url.get_secret_value()).set(drivername="postgresql+asyncpg")
    return create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_pre_ping=True,
        connect_args={"server_settings": {"application_name": application}, "timeout": 10},
    )
