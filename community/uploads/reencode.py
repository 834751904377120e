"""Decode a stranger's picture and encode it anew, alone in a process with limits.

Runs as `python -m community.uploads.reencode`: the picture on standard input, on standard output a
JSON line (sizes, or `refused` with a sentence) and then the bytes of the picture and its thumbnail.
It imports Pillow and nothing of ours, so a decoder bug meets neither settings nor database.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
MAX_SIDE: Final = 10_000  # pixels, of what comes in
FULL_SIDE: Final = 2_400  # pixels, of what we keep
THUMBNAIL_SIDE: Final = 640
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
MEMORY_LIMIT: Final = 1024 * 1024 * 1024  # bytes of address space: 40 MP take 160 MB a copy
CPU_LIMIT: Final = 15  # seconds


class Refused(Exception):
    """The bytes are no picture we take; `str()` is a sentence."""


@dataclass(frozen=True)
class Encoded:
    """A picture as we keep it, both sizes in WEBP without any metadata."""

    width: int
    height: int
    full: bytes
    thumbnail: bytes


def encode(raw: bytes) -> Encoded:
    """Decode JPEG, PNG, WEBP or GIF by content (a GIF's first frame) and encode WEBP.

    Raises Refused for anything else, over 10 MB, 40 megapixels or 10,000 px a side, or broken.
    """
    if len(raw) > MAX_BYTES:
        raise Refused("The picture is larger than 10 MB.")
    # Pillow warns of bombs far above our own limit; ours is checked before a pixel is decoded.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise Refused("The picture has more than 40 megapixels or 10,000 pixels a side.")
            if opened.format == "JPEG":
                opened.draft("RGB", (FULL_SIDE, FULL_SIDE))
            upright = ImageOps.exif_transpose(opened)
            wanted = "RGBA" if upright.has_transparency_data else "RGB"
            picture = upright.convert(wanted)
    except Refused:
        raise
    except UnidentifiedImageError:
        raise Refused("Only JPEG, PNG, WEBP and GIF pictures are taken.") from None
    except Exception:  # decoders raise nearly anything on hostile bytes
        raise Refused("The picture is damaged and cannot be read.") from None
    picture.thumbnail((FULL_SIDE, FULL_SIDE), Image.Resampling.LANCZOS)
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return Encoded(picture.width, picture.height, _webp(picture), _webp(small))


def _webp(picture: Image.Image) -> bytes:
    # A new image carries pixels only: EXIF, XMP, ICC and comments stay behind in the old one.
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    out = io.BytesIO()
    bare.save(out, "WEBP", quality=82, method=3)
    return out.getvalue()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    try:
        made = encode(sys.stdin.buffer.read(MAX_BYTES + 1))
    except Refused as refused:
        out.write(json.dumps({"refused": str(refused)}).encode() + b"\n")
        return
    except MemoryError:
        out.write(json.dumps({"refused": "The picture is too large to decode."}).encode() + b"\n")
        return
    head = {"width": made.width, "height": made.height, "full": len(made.full)}
    out.write(json.dumps(head).encode() + b"\n" + made.full + made.thumbnail)


if __name__ == "__main__":
    main()
