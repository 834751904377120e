"""Style sheets that travel together, as one file each, the icons of all pages as one, lean scripts.

Nothing is built: a bundle is its parts in order, joined when `collectstatic` (or a test's server)
asks for static files. Joined, a thread page's styles gzip to two thirds of what they do apart.
Scripts go out without comments and indentation, which is a sixth of what they weigh gzipped.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder, FileSystemFinder
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)

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

SCRIPTS: Final = "js/"
# What a line says after its code; quotes could mean that it stands in a string.
ASIDE: Final = re.compile(r"""(?<=[;,{}]) // [^"'`]*$""")


@lru_cache(maxsize=1)
def written() -> tuple[str, ...]:
    """Name what is made here of the sources."""
    source = Path(settings.BASE_DIR) / "static"
    scripts = sorted(
        path.relative_to(source).as_posix() for path in (source / SCRIPTS).rglob("*.js")
    )
    return (*BUNDLES, SPRITE, *scripts)


def lean(script: str) -> str:
    """Leave out comments, empty lines and indentation.

    Lines count in a string over several of them: a script that has one stays as it is.
    """
    lines = [line.strip() for line in script.splitlines()]
    if any(line.count("`") % 2 for line in lines):
        return script
    kept, in_comment = [], False
    for line in lines:
        if in_comment or line.startswith("/*"):
            in_comment = not line.endswith("*/")
        elif line and not line.startswith("//"):
            kept.append(ASIDE.sub("", line))
    return "\n".join([*kept, ""])


@lru_cache(maxsize=1)
def joined() -> FileSystemStorage:
    """Write all of it to a folder of this process and return that as a storage."""
    folder = Path(tempfile.mkdtemp(prefix="shoal-bundles-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source = Path(settings.BASE_DIR) / "static"

    def text_of(part: str) -> str:
        return (source / part).read_text(encoding="utf-8")

    for name in written():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in BUNDLES:
            text = "\n".join(map(text_of, BUNDLES[name]))
        else:
            text = sprite() if name == SPRITE else lean(text_of(name))
        target.write_text(text, encoding="utf-8")
    return FileSystemStorage(location=folder)


class SourceFinder(FileSystemFinder):
    """Finds our static files as they are, but for scripts: those go out lean."""

    def find(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return [] if path in written() else super().find(path, *args, **kwargs)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for path, storage in super().list(ignore_patterns):
            if path not in written():
                yield path, storage


class BundleFinder(BaseFinder):
    """Lets Django's static files find what is made here."""

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in written():
            return [] if find_all else None
        found = joined().path(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for name in written():
            yield name, joined()


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names files by what is in them, in our own modules that import them too."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            f"{SCRIPTS}*.js",
            CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
        ),
    )
    max_post_process_passes = 10  # as deep as modules import each other, and more
