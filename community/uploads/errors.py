"""Why a picture is refused, in words for the one who brought it."""

from __future__ import annotations


class ImageRefused(Exception):
    """The picture cannot be taken; `str()` says why."""
