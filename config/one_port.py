"""The demo's web process: pages and sockets on one port.

Sockets go to Channels, everything else to Django's WSGI handler in threads (static files by
WhiteNoise inside it). Production runs the two apart, which costs half as much per request.
"""

from __future__ import annotations

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from a2wsgi import WSGIMiddleware

from config.asgi import application as sockets
from config.wsgi import application as wsgi

# Each thread holds a database connection; the embedded PostgreSQL has 100.
THREADS = 8

pages = WSGIMiddleware(cast(Any, wsgi), workers=THREADS)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    else:
        await pages(scope, receive, send)
