"""The site as something to install: its manifest, its service worker, its page for when offline.

The worker is the files of static/js/worker in one: browsers give a worker the scope of its address,
and only one from / may answer for the whole site. See docs/decisions/offline.md.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language_bidi, gettext
from django.views.decorators.http import require_safe

from config.languages import language_tag, wordless

GROUND = "#fbf9f5"
INK = "#006a5d"
ICONS = (("icon-192", "192x192", "any"), ("icon-512", "512x512", "any"))
MASKABLE = ("maskable-512", "512x512", "maskable")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What the site is called, looks like and offers where it is installed."""
    shortcuts = (
        (gettext("Search"), reverse("search")),
        (gettext("Notifications"), reverse("notifications")),
        (gettext("Groups"), reverse("groups")),
    )
    return JsonResponse(
        {
            "id": "/",
            "name": settings.SITE_NAME,
            "short_name": settings.SITE_NAME,
            "description": gettext("Groups that talk, and listings where the talk earned them."),
            "lang": language_tag(),
            "dir": "rtl" if get_language_bidi() else "ltr",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": GROUND,
            "theme_color": INK,
            "icons": [
                {
                    "src": static(f"img/icons/{name}.png"),
                    "sizes": sizes,
                    "type": "image/png",
                    "purpose": purpose,
                }
                for name, sizes, purpose in (*ICONS, MASKABLE)
            ],
            "shortcuts": [{"name": name, "url": address} for name, address in shortcuts],
        },
        content_type="application/manifest+json",
        json_dumps_params={"ensure_ascii": False},
        headers={"Cache-Control": "max-age=3600"},
    )


@cache
def worker_source() -> str:
    """Return the worker: its version, then its files. It changes when any file of ours does."""
    folder = Path(settings.BASE_DIR) / "static" / "js" / "worker"
    files = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js")))
    shown = [
        static(name) for name in ("css/frame.css", "js/app.js", "js/elements/offline-shelf.js")
    ]
    page = (Path(settings.BASE_DIR) / "templates" / "offline.html").read_text(encoding="utf-8")
    version = hashlib.sha256("\n".join([files, page, *shown]).encode()).hexdigest()[:12]
    known = {"version": version, "offline": reverse("offline"), "static": settings.STATIC_URL}
    known["signOut"] = reverse("account_logout")
    return f"const SITE = {json.dumps(known)};\n{files}"


@wordless
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. Asked for anew each time, or an old one would live for ever."""
    return HttpResponse(
        worker_source(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"},
    )


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the worker shows where nothing can be asked for. It knows of no reader."""
    return render(request, "offline.html")
