"""Pictures drawn and encoded in processes of their own, while posts are being written."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from types import TracebackType
from typing import Final, Self

from community.uploads.reencode import Encoded, encode
from config.embedded.processes import die_with_parent
from config.seeds.drawing import SCENES, draw, draw_scene
from config.seeds.script import Picture

PROCESSES: Final = 2


def develop(picture: Picture) -> Encoded:
    """Draw a picture and encode it as uploads are. Raises KeyError for an unknown art."""
    if picture.art in SCENES:
        return encode(draw_scene(picture.art, picture.seed))
    return encode(draw(picture.art, picture.colour, picture.seed))


class Darkroom:
    """Ordered pictures are developed in the order they were ordered; each is taken once or more.

    A context manager: leaving it ends the processes, and they end if we die.
    """

    def __init__(self) -> None:
        self._orders: dict[Picture, Future[Encoded]] = {}
        self._pool = ProcessPoolExecutor(
            max_workers=PROCESSES,
            # Not forked: a child must share neither our database connection nor our threads.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=die_with_parent,
            initargs=(os.getpid(),),
        )

    def order(self, pictures: Iterable[Picture]) -> None:
        for picture in pictures:
            if picture not in self._orders:
                self._orders[picture] = self._pool.submit(develop, picture)

    def take(self, picture: Picture) -> Encoded:
        """Return the picture, ordering it if need be; waits until it is ready."""
        self.order([picture])
        return self._orders[picture].result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
