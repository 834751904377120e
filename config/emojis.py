"""Emoji by their short names, for `:` in the composer: one small file that browsers keep.

Names are those of the `emoji` package (Unicode's own and the common aliases), and the page's
language's where the package knows it. What is inserted is the character itself.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Final

import emoji
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from config.languages import wordless

NEWEST: Final = 14  # of Unicode's emoji versions: what phones of some years ago draw too
SKIN_TONES: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
# The package's languages by ours, where they are not the same.
LANGUAGES: Final = {"zh-hans": "zh"}
YEAR: Final = 365 * 24 * 3600


@cache
def emoji_file(language: str) -> tuple[str, bytes]:
    """Return the version and the bytes of the file: a list of `[character, name, …]`."""
    known = LANGUAGES.get(language, language)
    if known in emoji.LANGUAGES and known != "en":
        emoji.config.load_language(known)
    rows = []
    for character, facts in emoji.EMOJI_DATA.items():
        if facts["status"] != emoji.STATUS["fully_qualified"] or facts["E"] > NEWEST:
            continue
        if SKIN_TONES & set(character):
            continue
        rows.append([character, *_names(facts, known)])
    said = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(said).hexdigest()[:12], said


def _names(facts: dict[str, Any], language: str) -> list[str]:
    """The short names first: what people type."""
    names = [
        *facts.get("alias", ()),
        facts["en"],
        *([facts[language]] if language in facts else ()),
    ]
    bare = (name.strip(":").replace("’", "'").lower() for name in names)
    return sorted(dict.fromkeys(bare), key=len)


def emoji_address(language: str) -> str:
    return reverse("emoji", args=[language, emoji_file(language)[0]])


@wordless
@require_GET
@gzip_page
def emojis(request: HttpRequest, language: str, version: str) -> HttpResponse:
    """The file; an address of another version is gone, pages no longer name it."""
    if language not in dict(settings.LANGUAGES) or emoji_file(language)[0] != version:
        raise Http404
    return HttpResponse(
        emoji_file(language)[1],
        content_type="application/json",
        headers={"Cache-Control": f"public, max-age={YEAR}, immutable"},
    )
