"""How uvicorn is started where it serves sockets; docker-compose.yml says the same.

docs/decisions/chat.md has the reasons and what was measured.
"""

from __future__ import annotations

from typing import Final

UVICORN: Final = (
    # websockets-sansio, and what config/socket_protocol.py adds to it.
    *("--ws", "config.socket_protocol:Protocol", "--ws-per-message-deflate", "false"),
    *("--ws-max-size", "65536", "--ws-ping-interval", "20", "--ws-ping-timeout", "20"),
    # Whose X-Forwarded-For is believed is settings.TRUSTED_PROXIES alone.
    *("--no-proxy-headers", "--no-server-header", "--no-access-log"),
)
