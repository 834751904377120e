"""A zip that is written in slices, each of which may be the last before a worker dies.

A zip ends with its index. Adding to it writes over that index, so before a slice begins the index
is put aside in a file of its own; whoever comes after a crash cuts the archive where the index
began and puts it back. What was written counts only once `size` and `index_at` are committed.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Place:
    """How far an archive is whole: its size, and where its index begins."""

    size: int = 0
    index_at: int = 0


@contextmanager
def adding_to(path: Path, place: Place) -> Iterator[zipfile.ZipFile]:
    """Open the archive as it was at `place`, and move `place` on when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _restore(path, place)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        yield archive
        ends_at = archive.start_dir
    with path.open("rb+") as whole:
        os.fsync(whole.fileno())
    place.size, place.index_at = path.stat().st_size, ends_at


def _restore(path: Path, place: Place) -> None:
    """Cut off what no commit knows of, and put the index aside for the next who has to."""
    if not place.size:
        path.unlink(missing_ok=True)
        return
    aside = _aside(path, place)
    with path.open("rb+") as whole:
        if aside.exists():
            whole.truncate(place.index_at)
            whole.seek(place.index_at)
            whole.write(aside.read_bytes())
        else:
            whole.truncate(place.size)
            whole.seek(place.index_at)
            index = whole.read()
            unsure = aside.with_suffix(".part")
            with unsure.open("wb") as out:
                out.write(index)
                out.flush()
                os.fsync(out.fileno())
            unsure.rename(aside)
    # Those of earlier slices are of no use: this place was committed.
    for older in path.parent.glob(f"{path.name}.index-*"):
        if older != aside:
            older.unlink()


def _aside(path: Path, place: Place) -> Path:
    return path.with_name(f"{path.name}.index-{place.size}")
