"""Django's Redis cache, for which Redis being away is a miss and not an error.

Reads miss. Writes are dropped. `add` says yes: it is used as a lock, and "no" would mean "somebody
else holds it" (allauth would then refuse every sign-in). Counters start at their first step. So
limits built on the cache fail open; a limit that guards money must not be built on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache

from config.redis import Breaker, bounds, breaker

T = TypeVar("T")


class SafeRedisCache(RedisCache):
    """Never raises because of Redis; shares the process's breaker for its address."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {**bounds(), **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._breaker: Breaker = breaker(server)

    def _safely(self, work: Callable[[], T], otherwise: T) -> T:
        return self._breaker.call(work, otherwise)

    def add(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: Any = None
    ) -> bool:
        return self._safely(
            lambda: super(SafeRedisCache, self).add(key, value, timeout, version), True
        )

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._safely(lambda: super(SafeRedisCache, self).get(key, default, version), default)

    def set(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: Any = None
    ) -> None:
        self._safely(lambda: super(SafeRedisCache, self).set(key, value, timeout, version), None)

    def touch(self, key: Any, timeout: float | None = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return self._safely(lambda: super(SafeRedisCache, self).touch(key, timeout, version), False)

    def delete(self, key: Any, version: Any = None) -> bool:
        return self._safely(lambda: super(SafeRedisCache, self).delete(key, version), False)

    def get_many(self, keys: Iterable[Any], version: Any = None) -> dict[Any, Any]:
        wanted = list(keys)
        return self._safely(lambda: super(SafeRedisCache, self).get_many(wanted, version), {})

    def has_key(self, key: Any, version: Any = None) -> bool:
        return self._safely(lambda: super(SafeRedisCache, self).has_key(key, version), False)

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        return self._safely(lambda: super(SafeRedisCache, self).incr(key, delta, version), delta)

    def set_many(
        self,
        data: dict[Any, Any],
        timeout: float | None = DEFAULT_TIMEOUT,
        version: Any = None,
    ) -> list[Any]:
        return self._safely(
            lambda: super(SafeRedisCache, self).set_many(data, timeout, version), list(data)
        )

    def delete_many(self, keys: Iterable[Any], version: Any = None) -> None:
        wanted = list(keys)
        self._safely(lambda: super(SafeRedisCache, self).delete_many(wanted, version), None)

    def clear(self) -> None:
        """Forget the cache's own keys. Django would flush the database, and the broker with it."""

        def forget() -> None:
            redis = self._cache.get_client(None, write=True)
            keys = []
            for key in redis.scan_iter(match=f"{self.key_prefix}:*", count=1_000):
                keys.append(key)
                if len(keys) == 1_000:
                    redis.unlink(*keys)
                    keys.clear()
            if keys:
                redis.unlink(*keys)

        self._safely(forget, None)
