"""Django's sessions as rows, looked up by a prepared statement: every member's request asks."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as Rows
from django.utils import timezone

from config.prepared import prepared_cursor


class SessionStore(Rows):
    def load(self) -> dict[str, Any]:
        with prepared_cursor() as cursor:
            cursor.execute(_LOAD, [self.session_key, timezone.now()])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        decoded: dict[str, Any] = self.decode(found[0])
        return decoded


_LOAD = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"
