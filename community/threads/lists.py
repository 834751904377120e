"""Lists of threads: orders and filters read from the address, pages by keyset, rows to draw.

Every list costs a fixed number of queries whatever its order, filters and length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject, Now
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import pgettext_lazy

from community.members.models import Member, Viewer
from community.tags.models import Tag
from community.threads.kinds import KINDS
from community.threads.models import (
    PostImage,
    Thread,
    ThreadKind,
    ThreadQuerySet,
    ThreadScore,
    ThreadTag,
)
from community.threads.unread import unread_counts
from community.uploads.models import Image
from config.paging import read_time_cursor, time_cursor, whole_number
from config.pieces import Key, more_told, told
from config.written import Written

STRIP_MAX = 4  # pictures of the opening post in a row

# What domains above note on each thread of a list, by its name there: it comes by the same query.
ROW_NOTES: Final[dict[str, Callable[[Viewer], Subquery]]] = {}


class Order(models.TextChoices):
    """How a list of threads is ordered, and which of them are in it at all."""

    LATEST = "latest", pgettext_lazy("threads", "Latest")
    UNREAD = "unread", pgettext_lazy("threads", "Unread")
    NEW = "new", pgettext_lazy("threads", "New")
    NEWEST = "newest", pgettext_lazy("threads", "Newest")
    TOP = "top", pgettext_lazy("threads", "Top")
    UNANSWERED = "unanswered", pgettext_lazy("threads", "Unanswered")


# Of one reader alone.
OWN: Final = frozenset({Order.UNREAD, Order.NEW})


@dataclass(frozen=True, slots=True)
class ListState:
    """What an address says of a list of threads. Nonsense in it is left out, as if not said."""

    order: Order = Order.LATEST
    period: ThreadScore.Period = ThreadScore.Period.WEEK  # of the top list
    kind: str = ""
    tag: str = ""  # a slug
    after: str = ""  # the cursor of the last row seen

    @classmethod
    def read(cls, query: QueryDict, viewer: Viewer) -> ListState:
        """Read `order`, `period`, `kind`, `tag` and `after`; a guest has nothing unread."""
        order = query.get("order", "")
        period = query.get("period", "")
        kind = query.get("kind", "")
        known = order in Order.values and (order not in OWN or isinstance(viewer, Member))
        return cls(
            order=Order(order) if known else Order.LATEST,
            period=ThreadScore.Period(period)
            if period in ThreadScore.Period.values
            else ThreadScore.Period.WEEK,
            kind=kind if kind in KINDS else "",
            tag=query.get("tag", "")[:60].replace("\x00", ""),
            after=query.get("after", ""),
        )

    @property
    def is_first(self) -> bool:
        return not self.after

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.tag)

    @property
    def kind_label(self) -> str:
        return str(ThreadKind(self.kind).label) if self.kind else ""

    def address(self, **said: str) -> str:
        """Return the query that says this with the changes, "" for the plain list."""
        state: ListState = replace(self, after="", **said)  # type: ignore[arg-type]
        parts = {
            "order": state.order if state.order != Order.LATEST else "",
            "period": state.period
            if state.order == Order.TOP and state.period != ThreadScore.Period.WEEK
            else "",
            "kind": state.kind,
            "tag": state.tag,
            "after": said.get("after", ""),
        }
        return urlencode({name: str(value) for name, value in parts.items() if value})


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One thread in a list, for `community/threads/_row.html`."""

    thread: Thread
    pictures: list[Image] = field(default_factory=list)
    unread: int = 0  # posts its reader has not read; drawn into the piece, never part of it

    @property
    def kind_icon(self) -> str:
        """The icon of its kind's badge; empty for a plain discussion, which has none."""
        return "" if self.thread.kind == ThreadKind.TALK else KINDS[self.thread.kind].icon

    @property
    def tags(self) -> list[dict[str, str]]:
        """Slug and name of each tag it carries."""
        rows: list[dict[str, str]] = getattr(self.thread, "tag_rows", [])
        return rows

    def told(self, show_group: bool) -> Key | None:
        """The key of its piece; None when it is drawn for this reader alone."""
        thread, more = self.thread, more_told(self.thread)
        if more is None:
            return None
        group = told(thread.group) if show_group else ()
        pictures = tuple(picture.pk for picture in self.pictures)
        tags = tuple((tag["slug"], tag["name"]) for tag in self.tags)
        return "row", told(thread), told(thread.author), group, pictures, tags, more


# -- which threads ----------------------------------------------------------------------------


def in_state(
    threads: ThreadQuerySet,
    state: ListState,
    viewer: Viewer,
    tags: Iterable[int] = (),
    *,
    within_group: bool = False,
) -> ThreadQuerySet:
    """Narrow `threads` to what the state asks for, without what the viewer muted.

    `tags` are the ids the state's tag stands for; `within_group`: all are of one group.
    """
    if isinstance(viewer, Member) and state.order == Order.UNREAD:
        threads = threads.unread_for(viewer)
    elif isinstance(viewer, Member) and state.order == Order.NEW:
        threads = threads.new_for(viewer)
    elif isinstance(viewer, Member):
        threads = threads.not_muted_by(
            viewer, within_group=within_group, within_tag=bool(state.tag)
        )
    if state.order == Order.UNANSWERED:
        threads = threads.filter(reply_count=0)
    elif state.order == Order.TOP:
        threads = threads.filter(scores__period=state.period)
    if state.kind:
        threads = threads.filter(kind=state.kind)
    if state.tag:
        carried = ThreadTag.objects.filter(thread=OuterRef("pk"), tag__in=list(tags))
        threads = threads.filter(Exists(carried))
    return threads


def page_in_state(
    threads: ThreadQuerySet, state: ListState, size: int
) -> tuple[list[Thread], str | None]:
    """Return at most `size` of `threads` in the state's order, and the cursor of the page after.

    A broken cursor gives the first page. One query.
    """
    if state.order in (Order.NEW, Order.NEWEST):
        return _page_by_id(threads, state.after, size)
    if state.order == Order.TOP:
        return _page_by_score(threads, state.after, size)
    return page_of(threads, state.after, size)


def page_of(
    threads: ThreadQuerySet, after: str | None, size: int
) -> tuple[list[Thread], str | None]:
    """Return at most `size` threads, latest first, and the cursor of the page after them.

    `after` is such a cursor; None, an empty or a broken one gives the first page. One query.
    """
    if place := read_time_cursor(after):
        at, pk = place
        threads = threads.filter(Q(last_post_at__lt=at) | Q(pk__lt=pk), last_post_at__lte=at)
    return cut(list(threads.latest_first()[: size + 1]), size)


def cut(rows: list[Thread], size: int) -> tuple[list[Thread], str | None]:
    """Take `size` of the rows, and the cursor of the page after them if there are more."""
    if len(rows) <= size:
        return rows, None
    return rows[:size], time_cursor(rows[size - 1].last_post_at, rows[size - 1].pk)


def first_of_group(
    group_pk: int, viewer: Viewer, size: int
) -> tuple[list[Thread], list[Thread], str | None]:
    """Return the pinned threads of a group, the `size` latest others, and the cursor after them.

    With all their rows draw. One query, that of most who come to a group.
    """
    of_guest, of_member = _first_of_group(size)
    if isinstance(viewer, Member):
        rows = of_member.rows(group_pk, viewer.pk)
    else:
        rows = of_guest.rows(group_pk)
    now = timezone.now()
    pinned = [thread for thread in rows if thread.is_pinned(now)]
    return pinned, *cut([thread for thread in rows if not thread.is_pinned(now)], size)


@lru_cache(maxsize=4)
def _first_of_group(size: int) -> tuple[Written[Thread], Written[Thread]]:
    def write(group_pk: int, viewer: Viewer) -> ThreadQuerySet:
        listed = Thread.objects.filter(group=group_pk, is_listed=True)
        if isinstance(viewer, Member):
            listed = listed.not_muted_by(viewer, within_group=True)
        pinned = listed.pinned(Now())
        others = listed.filter(Q(pinned_at__isnull=True) | Q(pinned_until__lte=Now()))
        found = Thread.objects.for_list().filter(
            Among("pk", ArraySubquery(pinned.values("pk")))
            | Q(Among("pk", ArraySubquery(others.latest_first().values("pk")[: size + 1])))
        )
        return for_rows(found, viewer).latest_first()

    return (
        Written(lambda group_pk: write(group_pk, AnonymousUser())),
        Written(lambda group_pk, member_pk: write(group_pk, Member(pk=member_pk))),
    )


class Among(Func):
    """Whether a value is one of an array, which is made first: by index, unlike `IN (SELECT ...)`
    beside another condition."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    arity = 2
    output_field = models.BooleanField()


def _page_by_id(threads: ThreadQuerySet, after: str, size: int) -> tuple[list[Thread], str | None]:
    if (pk := whole_number(after)) is not None:
        threads = threads.filter(pk__lt=pk)
    rows = list(threads.order_by("-pk")[: size + 1])
    return rows[:size], str(rows[size - 1].pk) if len(rows) > size else None


def _page_by_score(
    threads: ThreadQuerySet, after: str, size: int
) -> tuple[list[Thread], str | None]:
    scored: Any = threads.annotate(score=F("scores__score"))
    score_text, _, pk_text = after.partition("-")
    score, pk = whole_number(score_text, digits=9), whole_number(pk_text)
    if score is not None and pk is not None:
        # By the annotation: naming the scores again would join those of other periods.
        scored = scored.filter(Q(score__lt=score) | Q(pk__lt=pk), score__lte=score)
    rows = list(scored.order_by("-scores__score", "-scores__thread_id")[: size + 1])
    return rows[:size], f"{rows[size - 1].score}-{rows[size - 1].pk}" if len(rows) > size else None


def with_tags(threads: ThreadQuerySet) -> ThreadQuerySet:
    """Note `tag_rows` on each thread: slug and name of its tags, by name, in the same query."""
    carried = (
        Tag.objects.filter(thread_tags__thread=OuterRef("pk"))
        .order_by("name")
        .values(row=JSONObject(slug="slug", name="name"))
    )
    return threads.annotate(tag_rows=ArraySubquery(carried))


def for_rows(threads: ThreadQuerySet, viewer: Viewer) -> ThreadQuerySet:
    """With all a row draws beside the thread: tags, pictures, and what domains above note."""
    pictures = PostImage.objects.filter(
        post__thread=OuterRef("pk"),
        post__number=1,
        post__hidden_at__isnull=True,
        image__in=Image.objects.unconfined_to(viewer),
    )
    strip = ArraySubquery(pictures.order_by("position").values("image_id")[:STRIP_MAX])
    notes = {name: note(viewer) for name, note in ROW_NOTES.items()}
    return with_tags(threads).annotate(strip=strip, **notes)


def thread_rows(threads: Iterable[Thread], viewer: Viewer) -> list[ThreadRow]:
    """Load what of each thread `viewer` has not read: one query for a member, none for a guest.

    `threads` come from `for_rows()` and are visible to `viewer`.
    """
    threads = list(threads)
    unread = unread_counts(viewer, threads) if isinstance(viewer, Member) else {}
    return [
        ThreadRow(
            thread=thread,
            pictures=[Image(pk=pk) for pk in getattr(thread, "strip", ())],
            unread=unread.get(thread.pk, (0, 0))[0],
        )
        for thread in threads
    ]
