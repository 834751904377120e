"""The sockets' application, more patient with goodbyes, for test_sockets_hostile.

A slow reader is cut off some seconds after it was closed; a test on a busy machine may be slower.
"""

from __future__ import annotations

from config.asgi import application  # noqa: F401 - this is what uvicorn runs

from community.chat import consumers  # isort: skip - Django is set up above

consumers.GOODBYE_SECONDS = 120.0  # type: ignore[misc]
