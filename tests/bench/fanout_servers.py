"""What bench_fanout compares the hub with: Channels' groups, and a loop that only sends.

Run by uvicorn: `tests.bench.fanout_servers:bare`, `…:channels`.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

BARE_CHANNEL = "bench:bare"
GROUP = "bench"

settings.CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [settings.REDIS_URL]},
    }
}

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402

from config.redis import async_client  # noqa: E402

sends: set[Any] = set()
listening: list[asyncio.Task[None]] = []


async def _alive(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"alive\n"})


async def _relay() -> None:
    async with async_client(answer_seconds=None).pubsub() as subscription:
        await subscription.subscribe(BARE_CHANNEL)
        async for told in subscription.listen():
            if told["type"] == "message":
                event = {"type": "websocket.send", "text": told["data"].decode()}
                for send in tuple(sends):
                    await send(event)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """No session, no rooms, no rights, no queue: what comes from Redis goes to all."""
    if scope["type"] == "http":
        await _alive(send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        sends.add(send)
        if not listening:
            listening.append(asyncio.get_running_loop().create_task(_relay()))
        while (await receive())["type"] != "websocket.disconnect":
            pass
        sends.discard(send)
    else:
        raise ValueError(scope["type"])


class Grouped(AsyncWebsocketConsumer):  # type: ignore[misc]
    """As the tutorial of Channels has it, without its session: that would cost it more."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def relay(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


_grouped = Grouped.as_asgi()


async def channels(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await _alive(send)
    elif scope["type"] == "websocket":
        await _grouped(scope, receive, send)
    else:
        raise ValueError(scope["type"])
