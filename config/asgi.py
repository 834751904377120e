"""The sockets process: `/ws/` only; pages are served by config.wsgi."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Apps must be loaded before consumers are imported.
get_asgi_application()

from community.routing import sockets  # noqa: E402

application = sockets
