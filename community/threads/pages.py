"""A page of a thread: its posts and all that is shown with them, in a fixed number of queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import (
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import JSONArray
from django.utils.functional import SimpleLazyObject

from community.groups.models import Membership, Role
from community.groups.services import membership_of
from community.members.models import Member, Viewer
from community.threads.entries import entries_between
from community.threads.kinds import KINDS, Fact, facts_of
from community.threads.lists import with_tags
from community.threads.models import (
    Post,
    Thread,
    ThreadEntry,
    ThreadKind,
    ThreadLink,
    ThreadQuerySet,
)
from community.threads.shared import Sharing, keep_alike, sharing
from community.threads.texts import words_of
from config.paging import whole_number
from config.pieces import Key, more_told, told
from config.written import Written

RELATED_MAX = 6
MOST_INTEGER = 2**63 - 1  # that a key can be
QUOTE_TAG: Final = re.compile(r"(</?blockquote\b[^>]*>)")
PAGES_AROUND = 2  # numbers shown on either side of the page one is on

# What domains above note on each post of a page, by its name there: it comes by the same query.
POST_NOTES: Final[dict[str, Callable[[], Subquery]]] = {}


@dataclass(frozen=True, slots=True)
class ShownPost:
    """A post as `viewer` sees it, for `community/threads/_post.html`."""

    post: Post
    role: str = ""  # the author's role in the group now, when it is more than member
    readable: bool = True  # False: hidden from this viewer, who sees a placeholder
    mine: bool = False
    may_reply: bool = False
    may_react: bool = False
    may_restore: bool = False  # or look at what a moderator hid: the way there is shown
    is_answer: bool = False
    answer: Post | None = None  # the thread's answer, when this is the opening post
    noted: list[Key] = field(default_factory=list, repr=False, compare=False)  # what `told` found

    @property
    def answer_excerpt(self) -> str:
        """The words of the answer, in short; of an answer that is all quotes, these."""
        if self.answer is None:
            return ""
        own = without_quotes(self.answer.html)
        return words_of(own) or words_of(self.answer.html)

    @property
    def told(self) -> Key | None:
        """The key of its piece; None when it is drawn for `viewer` alone."""
        more = more_told(self.post)
        if self.mine or more is None:
            return None
        # Asked for twice on a guest's page: by the post, and by what search engines read of it.
        if not self.noted or self.noted[0] is not more:
            self.noted[:] = more, self._told(more)
        return self.noted[1]

    def _told(self, more: Key) -> Key:
        post, answered, answer = self.post, self.post.reply_to, self.answer
        return (
            *("post", self.role, self.readable, self.may_reply, self.may_react),
            *(self.may_restore, self.is_answer, post.page),
            *(told(post), told(post.author), told(answered), told(answered and answered.author)),
            *(told(answer), told(answer and answer.author)),
            more,
        )


def without_quotes(html: str) -> str:
    """Leave out the quotes of a rendered post, those in quotes too."""
    own, depth = [], 0
    for piece in QUOTE_TAG.split(html):
        if piece.startswith("</blockquote"):
            depth = max(0, depth - 1)
        elif piece.startswith("<blockquote"):
            depth += 1
        elif not depth:
            own.append(piece)
    return " ".join(own)


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Page `number` of `thread` for `viewer`."""

    thread: Thread
    number: int
    posts: list[ShownPost]
    membership: Membership | None
    viewer: Viewer
    numbers: list[int | None] = field(default_factory=list)  # None is a gap
    entries: list[ThreadEntry] = field(default_factory=list)  # what was done here, in order
    # Of a page whose posts all went elsewhere: the pages before and after it that have some.
    nearest: tuple[int | None, int | None] = (None, None)
    sharing: Sharing | None = None

    @property
    def facts(self) -> list[Fact]:
        """What the form of the thread's kind says; on the first page."""
        return facts_of(self.thread.kind, self.thread.details) if self.number == 1 else []

    @property
    def tags(self) -> list[dict[str, str]]:
        """Slug and name of each tag the thread carries."""
        rows: list[dict[str, str]] = getattr(self.thread, "tag_rows", [])
        return rows

    @property
    def kind_icon(self) -> str:
        """The icon of the kind's badge; empty for a plain discussion."""
        talk = self.thread.kind == ThreadKind.TALK
        return "" if talk else KINDS[self.thread.kind].icon

    def entries_of(self, shown: ShownPost | None) -> list[ThreadEntry]:
        """What was done after this post and before the next one; None: before the first."""
        if not self.entries:
            return []
        numbers = [one.post.number for one in self.posts]
        start = shown.post.number if shown else 0
        end = next((number for number in numbers if number > start), None)
        return [
            entry
            for entry in self.entries
            if entry.after_number >= start and (end is None or entry.after_number < end)
        ]

    @property
    def plain_posts(self) -> list[Post]:
        """The posts themselves, for what loads things beside all of them at once."""
        return [shown.post for shown in self.posts]

    @property
    def post_ids(self) -> list[int]:
        """The posts' keys: known without loading them where the page is kept."""
        kept = self.sharing.kept if self.sharing else None
        return list(kept.posts) if kept else [shown.post.pk for shown in self.posts]

    def keep(self) -> None:
        """Keep what was drawn of the page for other members, if it is the same for them."""
        if self.sharing is None or not self.sharing.drawn:
            return
        posts = self.plain_posts
        if any(getattr(post, "poll_id", None) is not None for post in posts):
            return  # votes are their members' own
        authors = {post.pk: post.author_id for post in posts}
        keep_alike(self.sharing, self.thread, authors, [post.number for post in posts])

    @property
    def last(self) -> int:
        return self.thread.page_count

    @property
    def is_last(self) -> bool:
        return self.number == self.last

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.last else None

    @property
    def first_number(self) -> int:
        """The number of the first post on this page; 1 on an empty one."""
        if self.sharing and self.sharing.kept:
            return self.sharing.kept.first_number
        return self.posts[0].post.number if self.posts else 1

    @property
    def last_number(self) -> int:
        """The number of the last post on this page; 0 on an empty one."""
        if self.sharing and self.sharing.kept:
            return self.sharing.kept.last_number
        return self.posts[-1].post.number if self.posts else 0

    @property
    def may_write(self) -> bool:
        if self.membership is None or self.thread.is_locked:
            return False
        return self.membership.moderates or self.thread.takes_replies

    @property
    def may_lock(self) -> bool:
        return self.membership is not None and self.membership.moderates

    @property
    def may_change_head(self) -> bool:
        """Whether title, tags and kind are the viewer's to change."""
        if self.membership is None:
            return False
        own = self.viewer.pk == self.thread.author_id
        return self.may_lock or (own and self.thread.is_listed and not self.thread.is_locked)


def for_page(threads: ThreadQuerySet) -> ThreadQuerySet:
    """With all a thread page and a post's address need of the thread, in one query.

    `has_links` says whether `related_threads` would find anything: few threads have links.
    `has_entries` likewise of what moderators did, `tag_rows` are its tags; `author_name` and
    `author_handle` who began it.
    """
    links = ThreadLink.objects.filter(Q(from_thread=OuterRef("pk")) | Q(to_thread=OuterRef("pk")))
    entries = ThreadEntry.objects.filter(thread=OuterRef("pk"))
    noted = threads.select_related("group").annotate(
        has_links=Exists(links),
        has_entries=Exists(entries),
        author_name=F("author__name"),
        author_handle=F("author__handle"),
    )
    return with_tags(noted)


def thread_for_page(pk: int, viewer: Viewer) -> Thread | None:
    """A thread that `viewer` may read, with all its page shows and their place. One query."""
    if pk > MOST_INTEGER:
        return None
    found = _OF_MEMBER.rows(pk, viewer.pk) if isinstance(viewer, Member) else _OF_GUEST.rows(pk)
    return found[0] if found else None


_OF_GUEST = Written(
    lambda pk: for_page(Thread.objects.visible_to(AnonymousUser())).filter(pk=pk).order_by()
)
_OF_MEMBER = Written(
    lambda pk, member_pk: (
        with_place_of(
            for_page(Thread.objects.visible_to(Member(pk=member_pk))), Member(pk=member_pk)
        )
        .filter(pk=pk)
        .order_by()
    )
)


def related_threads(thread: Thread, viewer: Viewer) -> list[Thread]:
    """The threads this one points at or that point here, newest first, at most RELATED_MAX.

    Only those `viewer` may read. One query, none for a thread without links.
    """
    if not thread.has_links:  # type: ignore[attr-defined]
        return []
    found = Thread.objects.visible_to(viewer).filter(
        Q(links_in__from_thread=thread) | Q(links_out__to_thread=thread), is_listed=True
    )
    return list(found.select_related("group").distinct().latest_first()[:RELATED_MAX])


def posts_for_page(thread: Thread, *, after: int, last: int) -> list[Post]:
    """Load the posts numbered above `after` up to `last`, with all a page shows. One query.

    Of people only what is drawn: the fewer columns, the cheaper each row.
    """
    return _POSTS.rows(thread.pk, after, last, thread.group_id)


def _posts(thread_pk: int, after: int, last: int, group_pk: int) -> QuerySet[Post]:
    role = Membership.objects.filter(group=group_pk, member=OuterRef("author_id"))
    return (
        Post.objects.in_their_places()
        .filter(thread=thread_pk, number__gt=after, number__lte=last)
        .select_related("author", "reply_to__author")
        .only(
            *("thread", "number", "html", "client_key", "created_at", "edited_at"),
            *("hidden_at", "hidden_by", "hidden_reason", "is_wiki", "reactions"),
            *("author__name", "author__handle", "author__avatar"),
            *("reply_to__number", "reply_to__author__name"),
        )
        # `poll_id` says whether a poll stands under a post: few have one.
        .annotate(author_role=Subquery(role.values("role")), poll_id=F("poll__pk"))
        .annotate(**{name: note() for name, note in POST_NOTES.items()})
        .order_by("number")
    )


_POSTS = Written(_posts)


def last_of_page(number: int) -> int:
    """Return the highest number on the page that post `number` is on."""
    return Post(number=number).page * settings.POSTS_PER_PAGE


def page_number(wanted: str | None, thread: Thread) -> int | None:
    """Read `?page=`: a number, `last`, or nothing for the first; None for a page there is not."""
    if not wanted:
        return 1
    if wanted == "last":
        is_whole = thread.reply_count + 1 == thread.last_number
        if is_whole and not getattr(thread, "has_entries", False):
            return thread.page_count
        # The last posts may have gone to another thread, or been taken back.
        posts = Post.objects.in_their_places().filter(thread=thread)
        last = posts.aggregate(last=Max("number"))["last"]
        return Post(number=last or 1).page
    number = whole_number(wanted, digits=9)
    return number if number is not None and 1 <= number <= thread.page_count else None


def thread_page(
    thread: Thread, number: int, viewer: Viewer, *, began: int | None = None
) -> ThreadPage:
    """Load page `number` (from 1). One query, and one more for a member's place in the group.

    The place is not asked for when the thread came `with_place_of` the viewer. With `began`
    (community.threads.shared) a page that is kept for members costs no query: its posts are loaded
    when somebody asks for them after all.
    """
    membership = place_in(thread, viewer)
    shared = None if began is None else sharing(thread, number, viewer, membership, began)
    if shared is None or shared.kept is None:
        return _load_page(thread, number, viewer, membership, shared)
    whole: list[ThreadPage] = []

    def load() -> ThreadPage:
        if not whole:
            whole.append(_load_page(thread, number, viewer, membership, None))
        return whole[0]

    return ThreadPage(
        thread=thread,
        number=number,
        posts=cast(list[ShownPost], SimpleLazyObject(lambda: load().posts)),
        membership=membership,
        viewer=viewer,
        numbers=page_numbers(number, thread.page_count),
        entries=cast(list[ThreadEntry], SimpleLazyObject(lambda: load().entries)),
        sharing=shared,
    )


def place_in(thread: Thread, viewer: Viewer) -> Membership | None:
    """The viewer's place in the thread's group: as it came with the thread, else one query."""
    if not isinstance(viewer, Member):
        return None
    if getattr(thread, "place_of", None) != viewer.pk:
        return membership_of(viewer, thread.group)
    place: list[Any] | None = thread.place  # type: ignore[attr-defined]
    if place is None:
        return None
    pk, role = place
    columns = ("id", "group_id", "member_id", "role")  # in the order of the model
    return Membership.from_db("default", columns, (pk, thread.group_id, viewer.pk, role))


def with_place_of(threads: ThreadQuerySet, viewer: Viewer) -> ThreadQuerySet:
    """With the viewer's place in each thread's group, for `place_in`."""
    if not isinstance(viewer, Member):
        return threads
    places = Membership.objects.filter(group=OuterRef("group_id"), member_id=viewer.pk)
    place = places.values(place=JSONArray("pk", "role"))
    return threads.annotate(place=Subquery(place), place_of=Value(viewer.pk))


def _load_page(
    thread: Thread,
    number: int,
    viewer: Viewer,
    membership: Membership | None,
    shared: Sharing | None,
) -> ThreadPage:
    size = settings.POSTS_PER_PAGE
    posts = posts_for_page(thread, after=(number - 1) * size, last=number * size)
    entries: list[ThreadEntry] = []
    if getattr(thread, "has_entries", False):
        first = (number - 1) * size + 1 if number > 1 else 0
        entries = entries_between(thread, first, number * size)
    return ThreadPage(
        thread=thread,
        number=number,
        posts=shown_posts(posts, thread, viewer, membership),
        membership=membership,
        viewer=viewer,
        numbers=page_numbers(number, thread.page_count),
        entries=entries,
        nearest=(None, None) if posts else _nearest(thread, number),
        sharing=shared,
    )


def _nearest(thread: Thread, number: int) -> tuple[int | None, int | None]:
    """Return the nearest pages with posts before and after page `number`. One query."""
    size = settings.POSTS_PER_PAGE
    before = Max("number", filter=Q(number__lte=(number - 1) * size))
    after = Min("number", filter=Q(number__gt=number * size))
    posts = Post.objects.in_their_places().filter(thread=thread)
    found = posts.aggregate(before=before, after=after)
    return (
        Post(number=found["before"]).page if found["before"] else None,
        Post(number=found["after"]).page if found["after"] else None,
    )


def shown_posts(
    posts: list[Post], thread: Thread, viewer: Viewer, membership: Membership | None
) -> list[ShownPost]:
    """Say of each post (of `posts_for_page`) what `viewer` sees and may do.

    One query where the opening post shows an answer that stands on another page, else none.
    """
    moderates = membership is not None and membership.moderates
    answer = next((post for post in posts if post.pk == thread.answer_id), None)
    if answer is None and thread.answer_id is not None and posts and posts[0].is_opening:
        answer = _answer_of(thread.answer_id)
    shown = []
    for post in posts:
        post.thread = thread
        role: str | None = post.author_role  # type: ignore[attr-defined]
        mine = viewer.is_authenticated and post.author_id == viewer.pk
        readable = mine or not post.is_hidden
        shown.append(
            ShownPost(
                post=post,
                role="" if role in (None, Role.MEMBER) else role,
                readable=readable,
                mine=mine,
                may_reply=not post.is_hidden and membership is not None and not thread.is_locked,
                may_react=viewer.is_authenticated and not mine and not post.is_hidden,
                may_restore=post.is_hidden and (moderates or (mine and post.is_deleted)),
                is_answer=post.pk == thread.answer_id,
                answer=answer if post.is_opening else None,
            )
        )
    return shown


def _answer_of(answer_id: int) -> Post | None:
    answers = Post.objects.filter(pk=answer_id, hidden_at__isnull=True)
    return (
        answers.select_related("author")
        .only("thread", "number", "html", "author__name", "author__handle", "author__avatar")
        .first()
    )


def page_numbers(current: int, last: int) -> list[int | None]:
    """Return the page numbers to offer, the first and last always, None for each gap."""
    near = {1, last, *range(max(1, current - PAGES_AROUND), min(last, current + PAGES_AROUND) + 1)}
    numbers: list[int | None] = []
    for number in sorted(near):
        before = numbers[-1] if numbers else number - 1
        if before is not None and number - before == 2:
            numbers.append(number - 1)
        elif before is not None and number - before > 2:
            numbers.append(None)
        numbers.append(number)
    return numbers
