"""The sockets process: `/ws/` only; pages are served by config.wsgi."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Apps must be loaded before consumers are imported. Django's own handler is not: no page is here.
django.setup(set_prefix=False)

from community.routing import sockets  # noqa: E402

application = sockets
