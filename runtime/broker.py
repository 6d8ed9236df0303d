"""The one way to Redis (or Valkey): a redis-py client, and FastStream's broker over the same URL."""

import logging

from faststream.redis import RedisBroker
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from runtime.settings import BrokerSettings


def create_redis(settings: BrokerSettings) -> Redis:
    """A client that reconnects by itself, with answers as bytes."""
    return Redis.from_url(
        settings.url.get_secret_value(),
        socket_connect_timeout=5,
        health_check_interval=15,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), 3),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )


def create_quick_redis(settings: BrokerSettings) -> Redis:
    """A client of few connections that gives up early: for what goes on without Redis too.

    A connection that was lost is made again once, at once: those that were idle while the server was away fail when
    they are next used, and each would pass for an outage of its own. What takes too long is not tried again.
    """
    pool = BlockingConnectionPool.from_url(
        settings.url.get_secret_value(),
        max_connections=16,
        timeout=4.0,  # for a connection to be free
        socket_connect_timeout=2.0,
        socket_timeout=2.0,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return Redis.from_pool(pool)


def create_broker(settings: BrokerSettings) -> RedisBroker:
    """FastStream's broker. Only `events.delivery` subscribes with it; nobody publishes through it."""
    # Through our own logging: its loggers have handlers of their own, which write past our format and our redactor.
    logger = logging.getLogger(f"{__name__}.faststream")
    logger.setLevel(logging.WARNING)  # below, it tells of the callback of each task that ends
    return RedisBroker(settings.url.get_secret_value(), logger=logger, log_level=logging.DEBUG)
