"""The sockets' addresses: one, for everything a page wants to hear."""

from __future__ import annotations

from typing import Any, Final

from community.chat.consumers import LiveConsumer
from community.chat.doors import for_our_pages, refuse

PATH: Final = "/ws/"

live = for_our_pages(LiveConsumer.as_asgi())


async def sockets(scope: Any, receive: Any, send: Any) -> None:
    """The application of a sockets process. To HTTP it says only that it is up, at /healthz."""
    if scope["type"] == "websocket":
        if scope["path"] == PATH:
            await live(scope, receive, send)
        else:
            await receive()
            await refuse(scope, receive, send, 404, "There is no socket at this address.")
    elif scope["type"] == "http":
        up = scope["path"] == "/healthz"
        headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
        start = {"type": "http.response.start", "status": 200 if up else 404, "headers": headers}
        await send(start)
        await send(
            {"type": "http.response.body", "body": b"alive\n" if up else b"No pages here.\n"}
        )
    else:
        # What uvicorn takes for "no lifespan", without a word in the log.
        raise ValueError(f"nothing is done for {scope['type']}")
