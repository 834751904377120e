"""Lists of threads: pages by keyset, and rows with all they show in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Q

from community.members.models import Viewer
from community.threads.models import PostImage, Thread, ThreadQuerySet
from community.uploads.models import Image
from config.paging import read_time_cursor, time_cursor
from config.pieces import Key, more_told, told

STRIP_MAX = 4  # pictures of the opening post in a row


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One thread in a list, for `community/threads/_row.html`."""

    thread: Thread
    pictures: list[Image] = field(default_factory=list)
    more_pictures: int = 0  # how many the opening post has beyond `pictures`

    def told(self, show_group: bool) -> Key | None:
        """The key of its piece; None when it is drawn for this reader alone."""
        thread, more = self.thread, more_told(self.thread)
        if more is None:
            return None
        group = told(thread.group) if show_group else ()
        pictures = tuple(picture.pk for picture in self.pictures)
        return "row", told(thread), told(thread.author), group, pictures, more


def page_of(
    threads: ThreadQuerySet, after: str | None, size: int
) -> tuple[list[Thread], str | None]:
    """Return at most `size` threads, latest first, and the cursor of the page after them.

    `after` is such a cursor; None, an empty or a broken one gives the first page. One query.
    """
    if place := read_time_cursor(after):
        at, pk = place
        threads = threads.filter(Q(last_post_at__lt=at) | Q(pk__lt=pk), last_post_at__lte=at)
    rows = list(threads.latest_first()[: size + 1])
    if len(rows) <= size:
        return rows, None
    return rows[:size], time_cursor(rows[size - 1].last_post_at, rows[size - 1].pk)


def thread_rows(threads: Iterable[Thread], viewer: Viewer) -> list[ThreadRow]:
    """Load what rows show beside the thread: pictures of opening posts. One query.

    `threads` come from `for_list()` and are visible to `viewer`.
    """
    threads = list(threads)
    strips: dict[int, list[Image]] = {}
    shown = (
        PostImage.objects.filter(
            post__thread__in=[thread.pk for thread in threads],
            post__number=1,
            post__hidden_at__isnull=True,
            image__in=Image.objects.visible_to(viewer),
        )
        .select_related("image")
        .annotate(thread_id=F("post__thread_id"))
        .order_by("post", "position")
    )
    for one in shown if threads else ():
        strips.setdefault(one.thread_id, []).append(one.image)
    return [
        ThreadRow(
            thread=thread,
            pictures=(strip := strips.get(thread.pk, []))[:STRIP_MAX],
            more_pictures=max(0, len(strip) - STRIP_MAX),
        )
        for thread in threads
    ]
