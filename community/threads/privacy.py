"""What becomes of what a member wrote in threads, and of what others wrote about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from community.events import PostEdited
from community.threads.editing import rerender_post
from community.threads.markup import plain_text
from community.threads.models import POST_MAX_CHARS, Post, Revision, Thread
from community.threads.texts import excerpt_of
from config.outbox import publish
from config.personal import (
    Erasing,
    Exported,
    NotExported,
    also_erase,
    declare,
    deletes,
    keeps,
    keys,
    naming,
    neutral,
    sweeps,
    swept,
)

# The line that says whose words a quote holds: "> [Ada](/p/12/): …", its address absolute or not.
# Bounded: a wall of "[\\" would take a square of time, and nobody could be erased any more.
QUOTED = re.compile(
    r"\[((?:\\.|[^\[\]\\]){0,200})\]\(((?:https?://[^\s()]{1,300})?/(?:p|posts)/(\d{1,18})/?)\)"
)

ACT = "One thing done is one row, and the talk it was done to stays."


def register() -> None:
    declare(
        "community.Thread.author",
        Exported(
            "threads",
            _("Threads you began."),
            keys(
                id=_("its number"),
                group=("group__slug", _("its group")),
                title=_("its title"),
                kind=_("what kind of thread"),
                details=_("the form of its kind, as you filled it in"),
                created_at=_("when you began it"),
                replies=("reply_count", _("how many replies it has")),
            ),
        ),
        keeps("Others answered it."),
    )
    declare("community.Thread.last_post_by", NotExported(_("Made from the posts.")), keeps(ACT))
    declare("community.Thread.locked_by", NotExported(_("See thread_acts.")), keeps(ACT))
    declare(
        "community.Post.author",
        Exported(
            "posts",
            _("What you wrote, in Markdown."),
            keys(
                id=_("its number"),
                thread=("thread_id", _("the thread's number")),
                number=_("its place in the thread; 1 is the opening post"),
                body=_("what it says"),
                in_reply_to=("reply_to_id", _("the number of the post it answers")),
                created_at=_("when you wrote it"),
                edited_at=_("when it was last changed"),
                is_wiki=_("whether members of the group may change it"),
                reactions=_("how often each reaction was given"),
                hidden_at=_("since when it is hidden, by you or a moderator"),
            ),
        ),
        keeps("A talk with holes is no talk; it stands under the neutral name."),
    )
    declare("community.Post.hidden_by", NotExported(_("Decisions about others.")), keeps(ACT))
    declare(
        "community.Revision.post__author",
        Exported(
            "revisions",
            _("What your posts said before they were changed."),
            keys(
                post=("post_id", _("the post's number")),
                number=_("in the order of changes"),
                body=_("what it said until then"),
                replaced_at=_("when it was changed"),
                reason=_("why, as whoever changed it said"),
            ),
            narrowed=_in_their_own_words,
        ),
        keeps("They belong to the post."),
    )
    declare(
        "community.Revision.replaced_by",
        Exported(
            "edits",
            _("Changes you made to posts, your own and others'."),
            keys(
                post=("post_id", _("the post's number")),
                replaced_at=_("when you changed it"),
                reason=_("why, as you said"),
            ),
        ),
        keeps("They belong to the post."),
    )
    declare(
        "community.PostMention.member",
        NotExported(_("The words are those of other members.")),
        deletes("Nobody of that handle is left."),
    )
    declare(
        "community.ThreadEntry.by",
        Exported(
            "thread_acts",
            _("What you did to threads, as their author or as a moderator."),
            keys(
                thread=("thread_id", _("the thread's number")),
                verb=_("what you did"),
                at=_("when"),
                reason=_("why, as you said"),
            ),
        ),
        keeps("Entries of moderators are never changed."),
    )
    declare(
        "community.ReadMark.member",
        Exported(
            "reading",
            _("How far you read."),
            keys(
                thread=("thread_id", _("the thread's number")),
                read_up_to=("number", _("the number of the last post read")),
                read_at=_("when"),
            ),
        ),
        deletes("What somebody reads is nobody else's."),
    )
    declare(
        "community.Follow.member",
        Exported(
            "follows",
            _("What you follow or mute."),
            keys(
                thread=("thread_id", _("the thread's number, or")),
                tag=("tag__name", _("the tag, or")),
                group=("group__slug", _("the group")),
                level=_("how closely"),
                changed_at=_("since when"),
            ),
        ),
        deletes("It was for the member alone."),
    )
    declare(
        "community.ReadingDay.member",
        Exported(
            "reading_days",
            _("How much you read on a day, for your trust level."),
            keys(
                on=_("the day"),
                posts=_("posts read"),
                threads=_("threads opened"),
                seconds=_("of reading"),
            ),
        ),
        deletes("What somebody reads is nobody else's."),
    )
    also_erase(
        "posts that name the member",
        swept("community.Post", _may_name, rewrite_posts),
        "Mentions and quotes in anybody's posts; each is rendered anew, without the link.",
    )
    also_erase(
        "titles that name the member",
        sweeps("community.Thread", "title", "excerpt"),
        "A title may hold a mention too.",
    )
    also_erase(
        "earlier texts that name the member",
        swept("community.Revision", _may_name, rewrite_revisions),
        "What a post said before is shown beside what it says.",
    )


def _in_their_own_words(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out what somebody else had written into the post, where members may edit it."""
    before = Revision.objects.filter(post=OuterRef("post"), number__lt=OuterRef("number"))
    last = before.order_by("-number").values("replaced_by")[:1]
    writer = Coalesce(Subquery(last), "post__author_id", output_field=BigIntegerField())
    written: QuerySet[Any] = rows.annotate(writer=writer)
    return written.filter(writer=F("post__author_id"))


def _may_name(erasing: Erasing) -> Q:
    """Bodies with a mention or an address, and all with a quote: names there may be older ones."""
    return naming(["body"], erasing) | Q(body__regex=r"/p(osts)?/\d+/?\)")


def _neutral(bodies: Sequence[str], erasing: Erasing) -> list[str]:
    """Return the texts with mentions, addresses and the names over quotes of the member's posts."""
    quoted = {int(match[3]) for body in bodies for match in QUOTED.finditer(body)}
    theirs = set(
        Post.objects.filter(pk__in=quoted, author=erasing.member_id).values_list("pk", flat=True)
    )

    def renamed(match: re.Match[str]) -> str:
        if int(match[3]) not in theirs:
            return match[0]
        return f"[{erasing.new_name}]({match[2]})"

    # The new name may be longer: what no longer fits is cut, or nobody could leave.
    return [neutral(QUOTED.sub(renamed, body), erasing)[:POST_MAX_CHARS] for body in bodies]


def rewrite_posts(erasing: Erasing, posts: Sequence[Post]) -> None:
    """Make the member neutral in these posts and render them; nobody counts it as an edit."""
    bodies = _neutral([post.body for post in posts], erasing)
    for post, body in zip(posts, bodies, strict=True):
        mentions_link = f"/members/{erasing.handle}/" in post.html
        if body == post.body and not mentions_link:
            continue
        Post.objects.filter(pk=post.pk).update(body=body)
        rerender_post(post.pk)
        if post.number == 1:
            thread = Thread.objects.get(pk=post.thread_id)
            thread.excerpt = excerpt_of(plain_text(body))
            thread.save(update_fields=["excerpt"])
        # What was made from the text follows: search, placements.
        publish(PostEdited(post_id=post.pk))


def rewrite_revisions(erasing: Erasing, revisions: Sequence[Revision]) -> None:
    bodies = _neutral([revision.body for revision in revisions], erasing)
    for revision, body in zip(revisions, bodies, strict=True):
        if body != revision.body:
            Revision.objects.filter(pk=revision.pk).update(body=body)
