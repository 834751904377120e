"""A browser's end of a socket, for tests of consumers.

Channels' own WebsocketCommunicator cannot be imported without daphne, which we do not use.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connections


class SocketClient(ApplicationCommunicator):
    """Speaks the ASGI websocket protocol to `application` as `member`, or by what `scope` says."""

    def __init__(self, application: Any, member: object = None, **scope: Any) -> None:
        if member is not None:
            scope["user"] = member
        super().__init__(
            application,
            {
                "type": "websocket",
                "path": "/ws/",
                "query_string": b"",
                "headers": [],
                "subprotocols": [],
                **scope,
            },
        )

    async def connect(self) -> int | None:
        """None when accepted, else the code it was closed with."""
        await self.send_input({"type": "websocket.connect"})
        told = await self.receive_output(5)
        return None if told["type"] == "websocket.accept" else told["code"]

    async def say(self, frame: object) -> None:
        """Send a str or bytes as it is, anything else as JSON."""
        if isinstance(frame, bytes):
            await self.send_input({"type": "websocket.receive", "bytes": frame})
            return
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, timeout: float = 5) -> Any:
        told = await self.receive_output(timeout)
        assert told["type"] == "websocket.send", told
        return json.loads(told["text"])

    async def closed_with(self) -> int:
        code, _why = await self.closed_why()
        return code

    async def closed_why(self) -> tuple[int, str]:
        while (told := await self.receive_output(5))["type"] != "websocket.close":
            pass
        return int(told["code"]), str(told.get("reason", ""))

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)


def in_a_loop_of_its_own(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an asynchronous test in a thread of its own.

    Playwright's synchronous calls leave a running loop in the thread of the tests, where no other
    can be started.
    """

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        failed: list[BaseException] = []

        async def whole() -> None:
            try:
                await test(*args, **kwargs)
            finally:
                # In the thread where this loop did its database work.
                await sync_to_async(connections.close_all)()

        def apart() -> None:
            try:
                asyncio.run(whole())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=apart)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    return run
