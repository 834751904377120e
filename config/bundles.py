"""Style sheets that travel together, as one file each, and the icons of all pages as one.

Nothing is built: a bundle is its parts in order, joined when `collectstatic` (or a test's server)
asks for static files. Joined, a thread page's styles gzip to two thirds of what they do apart.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

from config.icons import SPRITE, sprite

BUNDLES: Final[dict[str, tuple[str, ...]]] = {
    # What every page needs. app.css comes first: it declares the order of the layers.
    "css/frame.css": (
        "css/app.css",
        "css/tokens.css",
        "css/base.css",
        "css/layout.css",
        "css/components/controls.css",
        "css/components/forms.css",
        "css/components/surfaces.css",
        "css/components/listing.css",
    ),
    # A thread with its composer and the group's chat beside it.
    "css/reading.css": (
        "css/components/post.css",
        "css/components/composer.css",
        "css/components/chat.css",
        "css/community/threads.css",
        "css/community/reading.css",
        "css/community/posts.css",
        "css/community/chat.css",
    ),
}

WRITTEN: Final = (*BUNDLES, SPRITE)


@lru_cache(maxsize=1)
def joined() -> FileSystemStorage:
    """Write the bundles and the icons to a folder of this process and return it as a storage."""
    folder = Path(tempfile.mkdtemp(prefix="shoal-bundles-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source = Path(settings.BASE_DIR) / "static"
    for name, parts in BUNDLES.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join((source / part).read_text(encoding="utf-8") for part in parts)
        target.write_text(text, encoding="utf-8")
    icons = folder / SPRITE
    icons.parent.mkdir(parents=True, exist_ok=True)
    icons.write_text(sprite(), encoding="utf-8")
    return FileSystemStorage(location=folder)


class BundleFinder(BaseFinder):
    """Lets Django's static files find the bundles."""

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in WRITTEN:
            return [] if find_all else None
        found = joined().path(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for name in WRITTEN:
            yield name, joined()
