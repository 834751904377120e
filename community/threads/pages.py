"""A page of a thread: its posts and all that is shown with them, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, Subquery

from community.groups.models import Membership, Role
from community.groups.services import membership_of
from community.members.models import Member, Viewer
from community.threads.models import Post, Thread, ThreadLink, ThreadQuerySet
from config.paging import whole_number
from config.pieces import Key, more_told, told

RELATED_MAX = 6
PAGES_AROUND = 2  # numbers shown on either side of the page one is on


@dataclass(frozen=True, slots=True)
class ShownPost:
    """A post as `viewer` sees it, for `community/threads/_post.html`."""

    post: Post
    role: str = ""  # the author's role in the group now, when it is more than member
    readable: bool = True  # False: hidden from this viewer, who sees a placeholder
    mine: bool = False
    may_edit: bool = False
    may_reply: bool = False
    may_flag: bool = False
    is_answer: bool = False

    @property
    def answer(self) -> Post | None:
        """The thread's answer, when this is the opening post."""
        return self.post.thread.answer if self.post.is_opening else None

    @property
    def told(self) -> Key | None:
        """The key of its piece; None when it is drawn for `viewer` alone."""
        post, more = self.post, more_told(self.post)
        if self.mine or more is None:
            return None
        answered = post.reply_to
        return (
            *("post", self.role, self.readable, self.may_edit, self.may_reply, self.may_flag),
            *(self.is_answer, post.page, post.is_opening and post.thread.answer_id),
            *(told(post), told(post.author), told(answered), told(answered and answered.author)),
            more,
        )


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Page `number` of `thread` for `viewer`."""

    thread: Thread
    number: int
    posts: list[ShownPost]
    membership: Membership | None
    viewer: Viewer
    numbers: list[int | None] = field(default_factory=list)  # None is a gap

    @property
    def plain_posts(self) -> list[Post]:
        """The posts themselves, for what loads things beside all of them at once."""
        return [shown.post for shown in self.posts]

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
    def last_number(self) -> int:
        """The number of the last post on this page; 0 on an empty one."""
        return self.posts[-1].post.number if self.posts else 0

    @property
    def may_write(self) -> bool:
        return self.membership is not None and not self.thread.is_locked

    @property
    def may_lock(self) -> bool:
        return self.membership is not None and self.membership.moderates


def for_page(threads: ThreadQuerySet) -> ThreadQuerySet:
    """With all a thread page and a post's address need of the thread, in one query.

    `has_links` says whether `related_threads` would find anything: few threads have links.
    """
    links = ThreadLink.objects.filter(Q(from_thread=OuterRef("pk")) | Q(to_thread=OuterRef("pk")))
    return threads.select_related("group").annotate(has_links=Exists(links))


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
    role = Membership.objects.filter(group=thread.group_id, member=OuterRef("author_id"))
    posts = (
        Post.objects.filter(thread=thread, number__gt=after, number__lte=last)
        .select_related("author", "reply_to__author")
        .only(
            *("thread", "number", "html", "client_key", "created_at", "edited_at"),
            *("hidden_at", "hidden_reason", "author__name", "author__handle", "author__avatar"),
            *("reply_to__number", "reply_to__author__name"),
        )
        .annotate(author_role=Subquery(role.values("role")))
        .order_by("number")
    )
    return list(posts)


def page_number(wanted: str | None, thread: Thread) -> int | None:
    """Read `?page=`: a number, `last`, or nothing for the first; None for a page there is not."""
    if not wanted:
        return 1
    if wanted == "last":
        return thread.page_count
    number = whole_number(wanted, digits=9)
    return number if number is not None and 1 <= number <= thread.page_count else None


def thread_page(thread: Thread, number: int, viewer: Viewer) -> ThreadPage:
    """Load page `number` (from 1). One query, and one more for a member's place in the group."""
    size = settings.POSTS_PER_PAGE
    membership = membership_of(viewer, thread.group) if isinstance(viewer, Member) else None
    posts = posts_for_page(thread, after=(number - 1) * size, last=number * size)
    return ThreadPage(
        thread=thread,
        number=number,
        posts=shown_posts(posts, thread, viewer, membership),
        membership=membership,
        viewer=viewer,
        numbers=page_numbers(number, thread.page_count),
    )


def shown_posts(
    posts: list[Post], thread: Thread, viewer: Viewer, membership: Membership | None
) -> list[ShownPost]:
    """Say of each post (of `posts_for_page`) what `viewer` sees and may do. No query."""
    moderates = membership is not None and membership.moderates
    shown = []
    for post in posts:
        post.thread = thread
        role: str | None = post.author_role  # type: ignore[attr-defined]
        mine = viewer.is_authenticated and post.author_id == viewer.pk
        readable = mine or not post.is_hidden
        open_to_author = mine and membership is not None and not thread.is_locked
        shown.append(
            ShownPost(
                post=post,
                role="" if role in (None, Role.MEMBER) else role,
                readable=readable,
                mine=mine,
                may_edit=not post.is_hidden and (moderates or open_to_author),
                may_reply=not post.is_hidden and membership is not None and not thread.is_locked,
                may_flag=viewer.is_authenticated and not mine and not post.is_hidden,
                is_answer=post.pk == thread.answer_id,
            )
        )
    return shown


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
