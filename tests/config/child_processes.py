"""What a child process of a test needs to work in the test's own database."""

from __future__ import annotations

import os
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.db import connection


def environment_of_a_child(**more: str) -> dict[str, str]:
    here = urlsplit(os.environ["DATABASE_URL"])
    database = quote(str(connection.settings_dict["NAME"]))
    return {
        **os.environ,
        "DATABASE_URL": urlunsplit(here._replace(path=f"/{database}")),
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "ERROR",
        **more,
    }
