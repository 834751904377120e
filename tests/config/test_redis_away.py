"""Redis gone (connections refused) and frozen (connections open, no answers): neither costs a page.

Bounds are generous against a busy machine; the bad twins exceed them by far.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache.backends.redis import RedisCache
from django.test import override_settings
from redis import Redis
from redis.exceptions import RedisError

from config import redis
from config.cache import SafeRedisCache
from config.embedded import Service, start_valkey
from tests.factories import PASSWORD

pytestmark = pytest.mark.flaky(reruns=1)  # docs/decisions/tests-run-again.md
# One call finds out, within 0.2 + 0.3 seconds.
FINDING_OUT_SECONDS = 1.5


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Service]:
    """A Valkey of this test's own, to be stopped and killed."""
    service = start_valkey(tmp_path)
    yield service
    if service.child.running():
        thaw(service)
    service.stop()


@pytest.fixture
def cache(valkey: Service) -> SafeRedisCache:
    return SafeRedisCache(valkey.url, {"KEY_PREFIX": "test"})


def freeze(valkey: Service) -> None:
    os.kill(valkey.child.pid, signal.SIGSTOP)


def thaw(valkey: Service) -> None:
    os.kill(valkey.child.pid, signal.SIGCONT)


def kill(valkey: Service) -> None:
    valkey.child.process.kill()
    valkey.child.process.wait()


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def use_everything(cache: SafeRedisCache) -> dict[str, object]:
    cache.set("page", "html")
    cache.delete_many(["a", "b"])
    cache.clear()
    return {
        "add": cache.add("lock", 1),
        "get": cache.get("page", "nothing"),
        "touch": cache.touch("page"),
        "delete": cache.delete("page"),
        "get_many": cache.get_many(["a", "b"]),
        "has_key": cache.has_key("page"),
        "in": "page" in cache,
        "incr": cache.incr("hits"),
        "decr": cache.decr("hits"),
        "set_many": cache.set_many({"a": 1, "b": 2}),
        "get_or_set": cache.get_or_set("sum", lambda: 42),
    }


AWAY = {
    "add": True,
    "get": "nothing",
    "touch": False,
    "delete": False,
    "get_many": {},
    "has_key": False,
    "in": False,
    "incr": 1,
    "decr": -1,
    "set_many": ["a", "b"],
    "get_or_set": 42,
}


def test_the_cache_is_django_s_own_while_redis_is_there(cache):
    assert cache.add("lock", "ada") is True
    assert cache.add("lock", "bo") is False
    cache.set("page", {"html": "<p>"}, timeout=30)
    assert cache.get("page") == {"html": "<p>"}
    cache.set("hits", 4)
    assert cache.incr("hits") == 5
    assert cache.set_many({"a": 1, "b": 2}) == []
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="not found"):
        cache.incr("never-set")


def test_clearing_the_cache_leaves_what_others_keep_in_redis(cache, valkey):
    other = Redis.from_url(valkey.url)
    other.lpush("default", "a task")
    cache.set_many({str(number): number for number in range(1_500)})
    cache.clear()
    assert other.keys("*") == [b"default"]
    other.close()


@pytest.mark.parametrize("leave", [kill, freeze])
def test_without_redis_the_cache_misses_and_never_raises(cache, valkey, leave):
    cache.set("page", "html")
    leave(valkey)
    assert seconds(lambda: cache.get("page")) < FINDING_OUT_SECONDS
    assert use_everything(cache) == AWAY


@pytest.mark.parametrize("leave", [kill, freeze])
def test_only_the_first_call_pays_for_finding_out(cache, valkey, leave):
    leave(valkey)
    cache.get("page")
    # 500 more, beyond the breaker's next look at Redis.
    assert seconds(lambda: [cache.get("page") for _ in range(500)]) < FINDING_OUT_SECONDS
    time.sleep(redis.LOOK_AGAIN_SECONDS)
    assert seconds(lambda: [cache.get("page") for _ in range(500)]) < FINDING_OUT_SECONDS


def test_django_s_cache_raises_where_ours_misses(valkey):
    plain = RedisCache(valkey.url, {})
    plain.set("page", "html")
    kill(valkey)
    with pytest.raises(RedisError):
        plain.get("page")


def test_a_frozen_redis_holds_django_s_cache_for_as_long_as_it_likes(valkey):
    plain = RedisCache(valkey.url, {})
    plain.set("page", "html")
    freeze(valkey)
    reader = threading.Thread(target=lambda: plain.get("page"), daemon=True)
    reader.start()
    reader.join(FINDING_OUT_SECONDS * 2)
    assert reader.is_alive()
    thaw(valkey)
    reader.join(10)


def test_the_cache_is_back_soon_after_redis_is(cache, valkey):
    cache.set("page", "html")
    freeze(valkey)
    assert cache.get("page") is None
    thaw(valkey)
    until = time.monotonic() + 5
    while cache.get("page") is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert cache.get("page") == "html"


def test_a_hint_is_sent_or_dropped_and_never_raises(valkey):
    listener = Redis.from_url(valkey.url).pubsub()
    listener.subscribe("room:12")
    with override_settings(REDIS_URL=valkey.url):
        assert redis.announce("room:12", {"seq": 7})
        heard = [listener.get_message(timeout=2) for _ in range(2)]
        assert heard[1] is not None
        assert heard[1]["data"] == b'{"seq":7}'
        assert redis.answers()
        freeze(valkey)
        assert seconds(lambda: redis.announce("room:12", b"8")) < FINDING_OUT_SECONDS
        assert redis.announce("room:12", b"9") is False
        assert seconds(redis.answers) < FINDING_OUT_SECONDS
        thaw(valkey)
    listener.close()


def test_a_forked_process_looks_for_redis_itself(cache, valkey):
    """The thread that would close the breaker does not come along."""
    freeze(valkey)
    cache.get("page")
    child = os.fork()
    if child == 0:
        try:
            for _ in range(100):
                cache.set("from-the-child", 1)
                time.sleep(0.05)
        finally:
            os._exit(0)
    thaw(valkey)
    until = time.monotonic() + 8
    while cache.get("from-the-child") is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_refusal_of_redis_is_a_miss_and_no_absence(cache, valkey):
    cache.set("page", "html")
    admin = Redis.from_url(valkey.url)
    admin.config_set("maxmemory", "1")
    cache.set("other", "x")  # "OOM command not allowed", which is an answer.
    assert not redis.breaker(valkey.url).away
    assert cache.get("page") == "html"
    admin.close()


@pytest.mark.django_db
@pytest.mark.parametrize("leave", [kill, freeze])
def test_a_member_signs_in_while_redis_is_away(ada, guest, valkey, settings, leave):
    settings.CACHES = {
        "default": {"BACKEND": "config.cache.SafeRedisCache", "LOCATION": valkey.url}
    }
    leave(valkey)
    began = time.monotonic()
    answer = guest.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert time.monotonic() - began < FINDING_OUT_SECONDS + 1
    assert answer.status_code == 302
    assert guest.session["_auth_user_id"] == str(ada.pk)
