"""What the members of the demo see that is theirs alone: unread threads, bookmarks, drafts, news.

Others have read what they have read (standing); ada, mo and shop have kept, followed and written
down what the script says, and were told what concerned them.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max, Q

from community.bookmarks.models import Bookmark
from community.bookmarks.services import keep_bookmark, send_due_reminders
from community.drafts.models import Draft
from community.drafts.services import save_draft
from community.events import BadgeEarned
from community.groups.models import Group
from community.groups.services import invite_member
from community.members.models import Member
from community.members.zones import morning
from community.notifications.handlers import tell_of_badge
from community.notifications.models import (
    NEW_POST_KINDS,
    Kind,
    Notification,
    Sending,
    Told,
)
from community.notifications.services import Occasion, tell
from community.reactions.models import Reaction
from community.search.models import SavedSearch, SearchDocument
from community.search.saving import look_for_news, save_search
from community.standing.models import BadgeGrant, LevelChange
from community.tags.models import Tag
from community.threads.following import Followed, follow
from community.threads.marks import Follow, FollowLevel, ReadMark
from community.threads.models import Post, PostMention, PostQuote, Thread
from config.seeds.forum import AccountText, FollowText
from config.seeds.stage import Stage

HOME_ZONE: Final = "Europe/London"
# "All read" was last said so long ago.
ALL_READ_DAYS: Final = 7
NEWS_DAYS: Final = 30
BADGES: Final = 3  # the newest are told
# What was told before that has been looked at.
LOOKED_AT_HOURS: Final = 20.0


def live_here(stage: Stage) -> None:
    """Write what is each member's own."""
    _set_clocks(stage)
    for account in stage.script.forum.accounts:
        with transaction.atomic():
            _read(stage, account)
            _keep(stage, account)
            _follow(stage, account)
    for account in stage.script.forum.accounts:
        _tell(stage, account)
    _save_searches(stage)
    send_due_reminders()
    stage.run_jobs()
    _date_news(stage)


@transaction.atomic
def _set_clocks(stage: Stage) -> None:
    places = {person.handle: person.place for person in stage.script.people}
    for handle, member in stage.members.items():
        member.time_zone = stage.script.forum.zones.get(places[handle], HOME_ZONE)
        member.all_read_at = max(member.joined_at, stage.ago(days=ALL_READ_DAYS))
    Member.objects.bulk_update(stage.members.values(), ["time_zone", "all_read_at"])


# -- read and unread --------------------------------------------------------------------------


def _read(stage: Stage, account: AccountText) -> None:
    """Let all be read but what the script names."""
    member = stage.members[account.handle]
    unread = {stage.threads[one.group, one.thread].pk: one.posts for one in account.unread}
    unopened = {stage.threads[one.group, one.thread].pk for one in account.unopened}
    groups = Group.objects.joined_by(member)
    marks = []
    for thread in Thread.objects.filter(group__in=groups, merged_into=None).exclude(
        pk__in=unopened
    ):
        number, read_at = thread.last_number, thread.last_post_at + timedelta(minutes=40)
        if posts := unread.get(thread.pk):
            number, read_at = _before_the_last(posts, thread, member)
        marks.append(
            ReadMark(
                member=member, thread=thread, number=number, read_at=min(read_at, stage.anchor)
            )
        )
    ReadMark.objects.bulk_create(
        marks,
        update_conflicts=True,
        unique_fields=["member", "thread"],
        update_fields=["number", "read_at"],
    )
    ReadMark.objects.filter(member=member, thread__in=unopened).delete()


def _before_the_last(posts: int, thread: Thread, member: Member) -> tuple[int, datetime]:
    """Return where to stand so that as many posts by others are unread, and since when."""
    others = Post.objects.filter(thread=thread, hidden_at=None).exclude(author=member)
    first = list(others.order_by("-number")[:posts])[-1]
    return first.number - 1, first.created_at - timedelta(minutes=1)


# -- kept -------------------------------------------------------------------------------------


def _keep(stage: Stage, account: AccountText) -> None:
    member = stage.members[account.handle]
    for text in account.bookmarks:
        at = None
        if text.remind_in_days is not None:
            at = morning(member, days=text.remind_in_days, now=stage.anchor)
        elif text.reminded_hours_ago is not None:
            at = stage.ago(hours=text.reminded_hours_ago)
        kept = keep_bookmark(
            member=member,
            post=stage.posts[text.group, text.thread, text.number],
            note=text.note,
            remind_at=at,
        )
        Bookmark.objects.filter(pk=kept.pk).update(created_at=stage.ago(hours=text.hours_ago))
    for number, draft in enumerate(account.drafts, start=1):
        group = stage.groups[draft.group]
        thread = stage.threads[draft.group, draft.thread] if draft.thread else None
        saved = save_draft(
            member=member,
            target=f"thread:{thread.pk}" if thread else f"group:{group.pk}",
            title=draft.title,
            body=draft.body,
            sequence=number,
        )
        if saved:
            Draft.objects.filter(pk=saved.pk).update(changed_at=stage.ago(hours=draft.hours_ago))


def _follow(stage: Stage, account: AccountText) -> None:
    member = stage.members[account.handle]
    for text in account.follows:
        follow(member=member, what=_followed(stage, text), level=FollowLevel[text.level.upper()])
    Follow.objects.filter(member=member, is_chosen=True).update(changed_at=stage.ago(days=30))
    for invited in account.invited:
        invite_member(
            group=stage.groups[invited.group], member=member, by=stage.members[invited.by]
        )


def _followed(stage: Stage, text: FollowText) -> Followed:
    if text.thread:
        return stage.threads[text.group, text.thread]
    group = stage.groups[text.group]
    return Tag.objects.get(group=group, name=text.tag) if text.tag else group


def _save_searches(stage: Stage) -> None:
    newest = SearchDocument.objects.aggregate(last=Max("pk"))["last"] or 0
    for account in stage.script.forum.accounts:
        for text in account.searches:
            saved = save_search(
                member=stage.members[account.handle],
                query=text.query,
                name=text.name,
                alert=text.alert,
            )
            SavedSearch.objects.filter(pk=saved.pk).update(
                created_at=stage.ago(days=20),
                last_document_id=max(0, newest - text.news),
                **({"looked_at": stage.ago(days=1)} if text.news else {}),
            )
    SearchDocument.objects.update(indexed_at=stage.ago(hours=1))
    look_for_news()


# -- told -------------------------------------------------------------------------------------


@transaction.atomic
def _tell(stage: Stage, account: AccountText) -> None:
    """Tell of the last weeks: handlers tell of the last two days only."""
    member = stage.members[account.handle]
    since = stage.ago(days=NEWS_DAYS)
    about = Post.objects.visible_to(member).filter(hidden_at=None, created_at__gte=since)
    about = about.exclude(author=member).select_related("thread")
    watching = Follow.objects.filter(member=member, level=FollowLevel.WATCHING)
    reasons: dict[int, tuple[Kind, Post]] = {}
    for kind, posts in (
        (
            Kind.MENTION,
            about.filter(pk__in=PostMention.objects.filter(member=member).values("post")),
        ),
        (
            Kind.REPLY,
            about.filter(
                Q(reply_to__author=member) | Q(reply_to=None, thread__author=member, number__gt=1)
            ),
        ),
        (
            Kind.QUOTE,
            about.filter(pk__in=PostQuote.objects.filter(quoted__author=member).values("post")),
        ),
        (
            Kind.THREAD,
            about.filter(number=1, thread__group__follows__in=watching),
        ),
        (Kind.WATCHED, about.filter(number__gt=1, thread__follows__in=watching)),
    ):
        for post in posts:
            reasons.setdefault(post.pk, (kind, post))
    tell(
        Occasion(
            *(member.pk, [kind], f"post:{post.pk}"),
            actor_id=post.author_id,
            post=post,
            thread=post.thread,
        )
        for kind, post in reasons.values()
    )
    _tell_of_reactions(member, since)
    newest = BadgeGrant.objects.shown().filter(member=member).order_by("-earned_at", "-pk")
    for pk in newest.values_list("pk", flat=True)[:BADGES]:
        tell_of_badge(BadgeEarned(badge_grant_id=pk))


def _tell_of_reactions(member: Member, since: datetime) -> None:
    """One row for each post, as if nobody had looked between two reactions."""
    given: dict[int, list[Reaction]] = defaultdict(list)
    seen = set()
    for reaction in (
        Reaction.objects.filter(post__author=member, post__hidden_at=None, given_at__gte=since)
        .exclude(member=member)
        .select_related("post__thread")
        .order_by("given_at", "pk")
    ):
        if (reaction.post_id, reaction.member_id) not in seen:
            seen.add((reaction.post_id, reaction.member_id))
            given[reaction.post_id].append(reaction)
    told_before = set(Told.objects.filter(post__in=given).values_list("post", flat=True))
    for post_id, reactions in given.items():
        if post_id in told_before:
            continue
        first, last = reactions[0], reactions[-1]
        row = Notification.objects.create(
            member=member,
            kind=Kind.REACTION,
            key=f"reaction:{post_id}:{first.member_id}",
            actor_id=last.member_id,
            actor_count=len(reactions),
            post=first.post,
            thread=first.post.thread,
            at=last.given_at,
        )
        Told.objects.bulk_create(
            Told(notification=row, post_id=post_id, actor_id=each.member_id) for each in reactions
        )


@transaction.atomic
def _date_news(stage: Stage) -> None:
    """Let what was told be as old as what it tells of; the older of it was looked at."""
    badges = {
        (member, f"badge:{badge}"): at
        for member, badge, at in BadgeGrant.objects.values_list("member", "badge", "earned_at")
    }
    levels = {
        (member, f"trust:{level}"): at
        for member, level, at in LevelChange.objects.values_list("member", "after", "at")
    }
    invited = {
        stage.members[account.handle].pk: stage.ago(hours=text.hours_ago)
        for account in stage.script.forum.accounts
        for text in account.invited
    }
    rows = list(Notification.objects.select_related("post", "message"))
    for row in rows:
        at = badges.get((row.member_id, row.key)) or levels.get((row.member_id, row.key))
        if row.kind in NEW_POST_KINDS and row.post:
            at = row.post.created_at
        elif row.message is not None:
            at = row.message.sent_at
        elif row.kind == Kind.ANSWER and row.post:
            at = row.post.created_at + timedelta(hours=5)
        elif row.kind == Kind.INVITE:
            at = invited.get(row.member_id)
        row.at = min(at or row.at, stage.anchor)
        if row.at < stage.ago(hours=LOOKED_AT_HOURS):
            row.read_at = row.at + timedelta(hours=2)
    Notification.objects.bulk_update(rows, ["at", "read_at"], batch_size=500)
    # What was looked at is not sent any more.
    Sending.objects.filter(notification__read_at__isnull=False).delete()
