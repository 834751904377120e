"""What the community announces, told to whom it concerns. Handlers read the state of now."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.urls import reverse
from django.utils import timezone

from community.bookmarks.models import Bookmark
from community.chat.models import MessageMention, MessagePost
from community.events import (
    AnswerChosen,
    BadgeEarned,
    BookmarkDue,
    JoinRequestAnswered,
    MemberInvited,
    PostEdited,
    PostPublished,
    ReactionGiven,
    TalkMadeThread,
    TrustChanged,
)
from community.groups.errors import NotAllowed
from community.groups.models import Group, Invitation, JoinRequest, Membership
from community.groups.services import invite
from community.members.models import Member, TrustLevel
from community.notifications.models import Kind
from community.notifications.recipients import deaf_to, has_muted, may_read, occasions
from community.notifications.services import Occasion, notify, tell, tell_of_reaction
from community.reactions.models import Reaction
from community.standing.models import BadgeGrant
from community.threads.models import Post, PostMention, Thread

# Talk brought in from elsewhere keeps its dates: what is older than this is no news.
NEWS_FOR: Final = timedelta(days=2)


def tell_of_post(event: PostPublished) -> None:
    """Tell those it answers, names or quotes, and those who watch."""
    post = _post(event.post_id)
    if post is None or post.created_at < timezone.now() - NEWS_FOR:
        return
    found = occasions(post)
    if MessagePost.objects.filter(post=post).exists():
        # Said in chat before: whom it names heard of it there. A thread that is new is news.
        found = {pk: [Kind.THREAD] for pk, kinds in found.items() if Kind.THREAD in kinds}
    tell(
        Occasion(
            member_id,
            kinds,
            f"post:{post.pk}",
            actor_id=post.author_id,
            post=post,
            thread=post.thread,
        )
        for member_id, kinds in found.items()
    )


def tell_of_edit(event: PostEdited) -> None:
    """Tell those whom an edit names. Who heard of the post before hears nothing again."""
    post = _post(event.post_id)
    if post is None or post.created_at < timezone.now() - NEWS_FOR:
        return
    named = set(PostMention.objects.filter(post=post).values_list("member_id", flat=True))
    in_chat = MessageMention.objects.filter(message__made_posts__post=post)
    named -= set(in_chat.values_list("member_id", flat=True))
    tell(
        Occasion(
            member_id,
            [Kind.MENTION],
            f"post:{post.pk}",
            actor_id=post.author_id,
            post=post,
            thread=post.thread,
        )
        for member_id, kinds in occasions(post).items()
        if member_id in named
    )


def tell_of_talk(event: TalkMadeThread) -> None:
    """Tell those whose messages became posts of a thread by somebody else's hand."""
    posts = (
        Post.objects.filter(
            thread=event.thread_id, from_messages__message__room=event.room_id, hidden_at=None
        )
        .exclude(author=event.by_id)
        .select_related("thread__group")
        .order_by("number")
    )
    first = {post.author_id: post for post in reversed(posts)}
    thread = next((post.thread for post in first.values()), None)
    if thread is None:
        return
    # Also who blocked the one who did it, without a name: it is about their own words.
    deaf, allowed = deaf_to(event.by_id, first), may_read(thread.group, first)
    tell(
        Occasion(
            member_id,
            [Kind.QUOTE],
            f"talk:{thread.pk}",
            actor_id=None if member_id in deaf else event.by_id,
            # Not of the post: whoever wrote it has read it.
            thread=thread,
            details={"about": "talk", "address": post.get_absolute_url()},
        )
        for member_id, post in first.items()
        if member_id in allowed
    )


def tell_of_reaction_given(event: ReactionGiven) -> None:
    """Tell the author, unless the reaction was taken back meanwhile."""
    given = (
        Reaction.objects.filter(post=event.post_id, member=event.member_id, name=event.name)
        .select_related("member", "post__author", "post__thread__group")
        .first()
    )
    if given is None or given.given_at < timezone.now() - NEWS_FOR:
        return
    post = given.post
    if _may_hear(post.author, post):
        tell_of_reaction(post=post, actor=given.member)


def tell_of_answer(event: AnswerChosen) -> None:
    """Tell the author whose reply was chosen, if it still is."""
    post = _post(event.post_id)
    if post is None or post.thread.answer_id != post.pk or not _may_hear(post.author, post):
        return
    notify(
        member=post.author,
        kind=Kind.ANSWER,
        key=f"answer:{post.pk}",
        actor=Member.objects.filter(pk=event.member_id).first(),
        post=post,
        thread=post.thread,
    )


def tell_of_invitation(event: MemberInvited) -> None:
    """Hand the invited member a way in of their own: a link that lets one person in."""
    group = Group.objects.filter(pk=event.group_id).first()
    member = Member.objects.filter(pk=event.member_id, is_active=True).first()
    by = Member.objects.filter(pk=event.by_id).first()
    if group is None or member is None or by is None:
        return
    if Membership.objects.filter(group=group, member=member).exists():
        return
    try:
        invitation = invite(group=group, by=by)
    except NotAllowed:
        return  # Who invited moderates the group no more.
    told = notify(
        member=member,
        kind=Kind.INVITE,
        # Asked again after two weeks, when the link has expired, it is another invitation.
        key=f"invite:{group.pk}:{invitation.created_at:%G%V}",
        actor=by,
        group=group,
        details={"address": reverse("invitation", args=[invitation.token])},
    )
    if told is None:
        Invitation.objects.filter(pk=invitation.pk).delete()


def tell_of_join_request(event: JoinRequestAnswered) -> None:
    """Tell who asked what was answered."""
    request = (
        JoinRequest.objects.select_related("member", "group", "answered_by")
        .filter(pk=event.join_request_id, answered_at__isnull=False)
        .first()
    )
    if request is not None:
        notify(
            member=request.member,
            kind=Kind.JOIN,
            key=f"join:{request.pk}",
            group=request.group,
            details={"accepted": bool(request.accepted)},
        )


def remind_of_bookmark(event: BookmarkDue) -> None:
    """Tell a member of the post they wanted to come back to."""
    bookmark = (
        Bookmark.objects.select_related("member", "post__thread__group")
        .filter(pk=event.bookmark_id)
        .first()
    )
    if bookmark is None or bookmark.remind_at is None:
        return
    post = bookmark.post
    if Post.objects.visible_to(bookmark.member).filter(pk=post.pk).exists():
        notify(
            member=bookmark.member,
            kind=Kind.REMINDER,
            key=f"reminder:{bookmark.pk}:{int(bookmark.remind_at.timestamp())}",
            post=post,
            thread=post.thread,
            details={"words": bookmark.note} if bookmark.note else {},
        )


def tell_of_trust(event: TrustChanged) -> None:
    """Tell a member of a level they reached; of one they lost, nobody tells."""
    member = Member.objects.filter(pk=event.member_id, is_active=True).first()
    if member is None or member.trust_level != event.level or event.level <= TrustLevel.NEW:
        return
    notify(
        member=member,
        kind=Kind.TRUST,
        key=f"trust:{event.level}",
        details={"level": event.level},
    )


def tell_of_badge(event: BadgeEarned) -> None:
    """Tell a member of a badge they earned."""
    grant = (
        BadgeGrant.objects.shown()
        .select_related("badge", "member")
        .filter(pk=event.badge_grant_id)
        .first()
    )
    if grant is not None:
        notify(
            member=grant.member,
            kind=Kind.BADGE,
            key=f"badge:{grant.badge_id}",
            details={"badge": grant.badge.name, "address": grant.badge.get_absolute_url()},
        )


def _post(post_id: int) -> Post | None:
    return (
        Post.objects.select_related("author", "thread__group", "thread__author", "reply_to")
        .filter(pk=post_id, hidden_at=None)
        .first()
    )


def _may_hear(member: Member, post: Post) -> bool:
    thread: Thread = post.thread
    return bool(may_read(thread.group, [member.pk])) and not has_muted(member, thread)
