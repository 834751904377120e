"""Every plain Redis client of the site, bounded, and what to do while Redis is away.

Redis holds hints, caches and counters; a page never waits for it long nor fails over it. One
breaker a process and address: the first call that finds Redis away costs at most CONNECT_SECONDS +
ANSWER_SECONDS, the calls after it nothing, until a thread of the breaker has heard from Redis
again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import structlog
from django.conf import settings
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

log = structlog.stdlib.get_logger(__name__)

CONNECT_SECONDS = 0.2
ANSWER_SECONDS = 0.3
LOOK_AGAIN_SECONDS = 1.0

T = TypeVar("T")
AWAY = (RedisConnectionError, RedisTimeoutError, OSError)


def bounds() -> dict[str, Any]:
    """Return the keyword arguments that bound a synchronous client: no retry, short waits."""
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


def client(url: str = "") -> Redis:
    """Return this process's client of `url`, settings.REDIS_URL when empty.

    Its calls raise when Redis is away; wrap them: `breaker().call(lambda: …, otherwise=…)`.
    """
    return _client(url or settings.REDIS_URL)


@cache
def _client(url: str) -> Redis:
    return Redis.from_url(url, **bounds())


def async_client(url: str = "", *, answer_seconds: float | None = ANSWER_SECONDS) -> AsyncRedis:
    """Return a new asynchronous client; the caller closes it.

    For a subscription, which waits for messages as long as it takes, `answer_seconds` is None.
    """
    made: AsyncRedis = AsyncRedis.from_url(
        url or settings.REDIS_URL,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        retry=AsyncRetry(NoBackoff(), 0),
    )
    return made


class Breaker:
    """Remembers that Redis is away, so that only the first call waits to find out."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._away_since: float | None = None
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None

    @property
    def away(self) -> bool:
        if self._away_since is None:
            return False
        # A fork copies the finding but not the thread that would end it.
        if self._looking is None or not self._looking.is_alive():
            self._look()
        return self._away_since is not None

    def call(self, work: Callable[[], T], otherwise: T) -> T:
        """Return `work()`, or `otherwise` when Redis is away or refuses."""
        if self.away:
            return otherwise
        try:
            return work()
        except AWAY as error:
            self.trip(error)
        except RedisError as error:  # It answers, and says no: memory full, read only.
            log.warning("redis refused", error=type(error).__name__)
        return otherwise

    def trip(self, error: BaseException) -> None:
        with self._lock:
            if self._away_since is not None:
                return
            self._away_since = time.monotonic()
        log.warning("redis away", error=type(error).__name__)
        self._look()

    def _look(self) -> None:
        with self._lock:
            if self._looking is not None and self._looking.is_alive():
                return
            self._looking = threading.Thread(
                target=self._until_back, name="redis-breaker", daemon=True
            )
            self._looking.start()

    def _until_back(self) -> None:
        # A client of its own: pooled connections may be half-open.
        probe = Redis.from_url(self.url, **bounds())
        while True:
            time.sleep(LOOK_AGAIN_SECONDS)
            try:
                probe.ping()
            except (RedisError, OSError):
                continue
            break
        probe.close()
        since = self._away_since
        self._away_since = None
        log.warning("redis back", away_seconds=round(time.monotonic() - (since or 0.0), 1))


_breakers: dict[str, Breaker] = {}


def breaker(url: str = "") -> Breaker:
    """Return this process's breaker of `url`, settings.REDIS_URL when empty."""
    url = url or settings.REDIS_URL
    return _breakers.setdefault(url, Breaker(url))


def announce(channel: str, payload: dict[str, Any] | bytes) -> bool:
    """Publish a hint, a dict as JSON; never raises. False when it surely went nowhere.

    Call it after commit (`transaction.on_commit`): what it tells of must be readable by then.
    """
    data = payload if isinstance(payload, bytes) else json.dumps(payload, separators=(",", ":"))

    def send() -> bool:
        client().publish(channel, data)
        return True

    return breaker().call(send, otherwise=False)


def answers() -> bool:
    """Ask Redis now, breaker or not; waits at most CONNECT_SECONDS + ANSWER_SECONDS."""
    try:
        return bool(client().ping())
    except (RedisError, OSError):
        return False
