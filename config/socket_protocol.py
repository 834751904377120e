"""Uvicorn's WebSocket, with an end to what it takes without the application's knowing.

Pings, pongs and the middle parts of a message never reach an application, so no limit of ours would
see them: uvicorn answers 400,000 pings a second and keeps what it answers for a reader who takes
nothing. No browser sends more than a pong every 20 seconds.
"""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

UNSEEN_PER_SECOND: Final = 10
UNSEEN_BURST: Final = 100
CLOSE_REFUSED: Final = 1008
FLUSH_SECONDS: Final = 3.0


class Protocol(WebSocketsSansIOProtocol):
    unseen_left = float(UNSEEN_BURST)
    unseen_at = 0.0

    def handle_ping(self) -> None:
        if self._may_go_on():
            super().handle_ping()

    def handle_pong(self, event: Any) -> None:
        if self._may_go_on():
            super().handle_pong(event)

    def handle_cont(self, event: Any) -> None:
        if self._may_go_on():
            super().handle_cont(event)

    def _may_go_on(self) -> bool:
        if self.transport.is_closing():
            return False
        now = self.loop.time()
        self.unseen_left = min(
            UNSEEN_BURST, self.unseen_left + (now - self.unseen_at) * UNSEEN_PER_SECOND
        )
        self.unseen_at = now
        self.unseen_left -= 1
        if self.unseen_left < 0:
            self._refuse()
            return False
        return True

    def _refuse(self) -> None:
        why = "Too many frames."
        if not self.close_sent:
            self.conn.fail(CLOSE_REFUSED, why)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.queue.put_nowait(
                {"type": "websocket.disconnect", "code": CLOSE_REFUSED, "reason": why}
            )
        self.transport.close()  # nothing more is read
        self.loop.call_later(FLUSH_SECONDS, self.transport.abort)
