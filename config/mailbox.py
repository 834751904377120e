"""The demo's mailbox: what the site would send by e-mail, kept in a folder and read at /_mail/.

The demo alone has these pages: everybody's letters lie there, links that reset passwords among
them. The HTML of a letter is shown in a frame that may run nothing and load nothing.
"""

from __future__ import annotations

import email
import re
import secrets
import time
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Final

from csp.decorators import csp_update
from django.conf import settings
from django.core.mail import EmailMessage as Letter
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

SHOWN: Final = 100
LETTER_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'; "
    "base-uri 'none'; sandbox"
)
NAME: Final = re.compile(r"\d{13}-[0-9a-f]{8}\Z")


class Backend(BaseEmailBackend):
    """Writes each letter to a file of its own below settings.EMAIL_FILE_PATH."""

    def send_messages(self, email_messages: Sequence[Letter]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for letter in email_messages:
            name = f"{int(time.time() * 1000):013d}-{secrets.token_hex(4)}"
            half = folder / f"{name}.half"
            half.write_bytes(letter.message().as_bytes())
            half.rename(folder / f"{name}.eml")
        return len(email_messages)


@require_GET
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """The latest letters, the newest first."""
    names = sorted(path.stem for path in Path(settings.EMAIL_FILE_PATH).glob("*.eml"))
    rows = [(name, _read(name)) for name in reversed(names[-SHOWN:])]
    return render(request, "mailbox/index.html", {"letters": rows})


@require_GET
@never_cache
@csp_update({"frame-src": ["'self'"]})  # type: ignore[arg-type]
def show(request: HttpRequest, name: str) -> HttpResponse:
    """One letter: its head, its text, and its HTML in a frame."""
    letter = _read(name)
    return render(
        request,
        "mailbox/show.html",
        {
            "name": name,
            "letter": letter,
            "heads": [(head, str(value)) for head, value in letter.items()],
            "text": _part(letter, "plain"),
            "has_html": bool(_part(letter, "html")),
        },
    )


@require_GET
@never_cache
@xframe_options_sameorigin
def page(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of a letter, as it is."""
    # Its own policy: the styles of a letter are in its elements, and it may do nothing else.
    return HttpResponse(
        _part(_read(name), "html"), headers={"Content-Security-Policy": LETTER_POLICY}
    )


def _read(name: str) -> EmailMessage:
    path = Path(settings.EMAIL_FILE_PATH) / f"{name}.eml"
    if not NAME.match(name) or not path.is_file():
        raise Http404
    return email.message_from_bytes(path.read_bytes(), policy=default)


def _part(letter: EmailMessage, subtype: str) -> str:
    body = letter.get_body((subtype,))
    return str(body.get_content()) if body is not None else ""
