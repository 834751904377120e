"""A letter becomes a post: the same rights, locks and gates as for one that is typed here."""

from __future__ import annotations

import io
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from community.events import LetterReceived
from community.members.models import Member
from community.notifications.compose import is_own_id
from community.notifications.inbound import (
    PICTURES_MAX,
    Letter,
    Unreadable,
    read,
)
from community.notifications.models import Channel, InboundEmail, Sending
from community.notifications.quoted import written
from community.notifications.tokens import read_reply_address
from community.threads.errors import Refused
from community.threads.models import Post
from community.threads.services import publish_post
from community.uploads.errors import ImageRefused
from community.uploads.services import save_image
from config.languages import speaking

SUBJECT_MAX_CHARS: Final = 150


class NotPosted(Exception):
    """A letter was refused. With a member, they are told why: it surely came from them."""

    def __init__(self, reason: str, member: Member | None = None) -> None:
        self.reason, self.member = reason, member
        super().__init__(reason)


def post_letter(event: LetterReceived) -> None:
    """Post a letter that was kept, or write down why not. Twice is as once."""
    row = InboundEmail.objects.select_for_update().get(pk=event.inbound_email_id)
    if row.state != InboundEmail.State.DUE:
        return
    letter = None
    try:
        letter = read(bytes(row.raw or b""), row.format)
        post = _publish(letter)
    except Unreadable:
        row.state, row.reason = InboundEmail.State.REFUSED, "unreadable"
    except NotPosted as refusal:
        row.state, row.reason = InboundEmail.State.REFUSED, refusal.reason[:300]
        row.member = refusal.member
        if refusal.member is not None and letter is not None:
            _answer(refusal.member, letter, refusal.reason)
    else:
        row.state, row.post, row.member = InboundEmail.State.POSTED, post, post.author
    row.raw = None  # somebody's letter is kept no longer than it takes
    row.save()


def _publish(letter: Letter) -> Post:
    """Publish what the letter says. Raises NotPosted."""
    if letter.is_automatic:
        raise NotPosted("written by a machine")
    if is_own_id(letter.message_id):
        raise NotPosted("our own letter")
    mark = next(filter(None, map(read_reply_address, letter.recipients)), None)
    if mark is None:
        raise NotPosted("no address of ours, or one too old")
    member = Member.objects.filter(pk=mark.member_id, is_active=True, erased_at=None).first()
    if (
        member is None
        or not EmailAddress.objects.filter(
            user=member, email__iexact=letter.sender, verified=True
        ).exists()
    ):
        raise NotPosted("not sent by the member it was for")
    with speaking(member):
        post = (
            Post.objects.visible_to(member)
            .select_related("thread__group", "author")
            .filter(pk=mark.post_id)
            .first()
        )
        if post is None:
            raise NotPosted(_("What you answered is no longer there."), member)
        body = written(letter.text)
        if not body and not letter.pictures:
            raise NotPosted(_("There was nothing above the quoted text."), member)
        try:
            # One transaction for the pictures and the post: a refusal leaves neither.
            with transaction.atomic():
                body = "\n\n".join([body, *_pictures(member, post, letter)]).strip()
                return publish_post(
                    author=member,
                    thread=post.thread,
                    body=body,
                    reply_to=None if post.is_opening else post,
                    client_key=uuid5(NAMESPACE_URL, f"mail:{letter.message_id}"),
                )
        except Refused as refusal:
            raise NotPosted(refusal.reason, member) from refusal


def _pictures(member: Member, post: Post, letter: Letter) -> list[str]:
    """Keep the letter's pictures for the group; one that cannot be read is left out."""
    shown = []
    for one in letter.pictures[:PICTURES_MAX]:
        try:
            image = save_image(
                owner=member, group=post.thread.group, file=io.BytesIO(one.data), alt=""
            )
        except ImageRefused:
            continue
        shown.append(image.markdown)
    return shown


def _answer(member: Member, letter: Letter, reason: str) -> None:
    """Tell a member why their letter was not posted, once a day at most."""
    today = timezone.now().date()
    Sending.objects.get_or_create(
        member=member,
        channel=Channel.EMAIL,
        key=f"refusal:{today:%Y-%m-%d}",
        defaults={
            "what": Sending.What.REFUSAL,
            "due_at": timezone.now(),
            "details": {
                "reason": reason,
                "answers": letter.message_id,
                "subject": letter.headers.get("subject", "")[:SUBJECT_MAX_CHARS],
            },
        },
    )
