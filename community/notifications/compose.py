"""Letters as they leave: text and HTML in the member's language, headers that mail programs know.

HTML is one column without tables; its styles are written into the elements (config.letters).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import formataddr, parseaddr
from typing import Any, Final
from urllib.parse import urlsplit

import nh3
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from community.members.models import Member
from community.notifications.models import NEW_POST_KINDS, Kind, Notification
from community.notifications.tokens import Off, ReplyMark, off_token, reply_address
from community.notifications.words import address, excerpt, sentence
from community.threads.models import Post, Thread
from config.languages import language_tag
from config.letters import inlined

POST_MAX_CHARS: Final = 8_000  # of HTML; a longer post is told by its first words
SUBJECT_MAX_CHARS: Final = 180
# Neither part runs over where the next could begin: else "![![![" takes a square of time.
PICTURE: Final = re.compile(r"!\[([^\[\]]*)\]\(image:[^()\s]*\)")
# A post in a letter: words alone. Pictures need a session, and programs block them anyway.
TAGS: Final = {
    *("p", "br", "a", "em", "strong", "del", "code", "pre", "blockquote", "hr"),
    *("ul", "ol", "li", "h2", "h3", "h4"),
}


def site_host() -> str:
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def message_id(kind: str, number: int, member: Member) -> str:
    """Name a letter for ever: `kind` is thread, post or notification."""
    return f"<{kind}-{number}.{member.pk}@{site_host()}>"


OWN_ID: Final = re.compile(r"<(?:thread|post|notification|digest|refusal)-[\d-]+\.\d+@(.+)>\Z")


def is_own_id(said: str) -> bool:
    """Whether we wrote the letter of this Message-ID."""
    found = OWN_ID.match(said)
    return found is not None and found[1] == site_host()


def absolute(path: str) -> str:
    return path if path.startswith("http") else f"{settings.SITE_URL}{path}"


def off_address(member: Member, what: str, which: str = "") -> str:
    return absolute(reverse("mail_off", args=[off_token(Off(member.pk, what, which))]))


# -- what there is to send --------------------------------------------------------------------


def of_notification(row: Notification, member: Member) -> EmailMultiAlternatives:
    """Write what a notification tells, in the language that is active."""
    post, thread = row.post, row.post.thread if row.post else row.thread
    is_new_post = row.kind in NEW_POST_KINDS
    says = sentence(row)
    reply_to = ""
    if post is not None and (is_new_post or row.kind == Kind.ANSWER):
        reply_to = reply_address(ReplyMark(member_id=member.pk, post_id=post.pk))
    links = []
    if thread is not None and is_new_post:
        links.append((_("Mute this thread"), off_address(member, "thread", str(thread.pk))))
    off = off_address(member, "kind", row.kind)
    links.append((_("No more e-mails of this kind"), off))
    links.append((_("Choose what you hear of"), absolute(reverse("notification_settings"))))
    return _letter(
        member,
        "notification",
        subject=_subject(row, thread) if is_new_post and thread else says,
        sender=row.actor.name if row.actor and is_new_post else "",
        context={
            "says": says,
            "html": _post_html(post) if post and is_new_post else "",
            "text": _post_text(post) if post and is_new_post else excerpt(row),
            "address": absolute(row.get_absolute_url()),
            "action": _("Read it in its thread") if post else _("Look at it"),
            "can_reply": bool(reply_to),
            "links": links,
        },
        headers={
            **_threading(row, member),
            **_unsubscribe(off),
            **({"Reply-To": reply_to} if reply_to else {}),
            **({"List-Id": _list_id(thread)} if thread else {}),
        },
    )


def of_digest(
    member: Member, unread: Iterable[Notification], best: Iterable[Thread], number: int
) -> EmailMultiAlternatives:
    off = off_address(member, "digest")
    return _letter(
        member,
        "digest",
        subject=_("News from %(site)s") % {"site": settings.SITE_NAME},
        context={
            "unread": [(sentence(row), absolute(row.get_absolute_url())) for row in unread],
            "best": [
                (
                    thread.heading,
                    thread.group.name,
                    thread.excerpt,
                    absolute(thread.get_absolute_url()),
                )
                for thread in best
            ],
            "list_address": absolute(reverse("notifications")),
            "links": [
                (_("No more digests"), off),
                (_("Choose what you hear of"), absolute(reverse("notification_settings"))),
            ],
        },
        headers={"Message-ID": message_id("digest", number, member), **_unsubscribe(off)},
    )


def of_refusal(
    member: Member, *, reason: str, answers: str, subject: str, number: int
) -> EmailMultiAlternatives:
    """Say why a letter was not posted."""
    return _letter(
        member,
        "refusal",
        subject=_("Not posted: %(subject)s") % {"subject": subject or _("your e-mail")},
        context={"reason": reason, "links": []},
        headers={
            "Message-ID": message_id("refusal", number, member),
            **({"In-Reply-To": answers, "References": answers} if answers else {}),
        },
    )


# -- a letter ---------------------------------------------------------------------------------


def _letter(
    member: Member,
    template: str,
    *,
    subject: str,
    context: dict[str, Any],
    headers: dict[str, str],
    sender: str = "",
) -> EmailMultiAlternatives:
    said = {
        "member": member,
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "subject": subject,
        "language": language_tag(),
        **context,
    }
    text = render_to_string(f"community/notifications/mail/{template}.txt", said)
    page = render_to_string(f"community/notifications/mail/{template}.html", said)
    letter = EmailMultiAlternatives(
        subject=" ".join(subject.split())[:SUBJECT_MAX_CHARS],
        body=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        from_email=_from(sender),
        to=[member.email],
        headers={
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "X-Shoal": template,  # what comes back with it is not answered
            **headers,
        },
    )
    letter.attach_alternative(inlined(page), "text/html")
    return letter


def _from(sender: str) -> str:
    if not sender:
        return str(settings.DEFAULT_FROM_EMAIL)
    ours = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    via = _("%(who)s via %(site)s") % {"who": sender, "site": settings.SITE_NAME}
    return formataddr((" ".join(via.split()), ours))


def _subject(row: Notification, thread: Thread) -> str:
    """The same for all letters of a thread, so that mail programs put them together."""
    says = f"[{thread.group.name}] {thread.heading}"
    return says if row.post is None or row.post.is_opening else f"Re: {says}"


def _threading(row: Notification, member: Member) -> dict[str, str]:
    post = row.post
    if post is None:
        return {"Message-ID": message_id("notification", row.pk, member)}
    root = message_id("thread", post.thread_id, member)
    own = root if post.is_opening else message_id("post", post.pk, member)
    if row.kind not in NEW_POST_KINDS:
        return {
            "Message-ID": message_id("notification", row.pk, member),
            "In-Reply-To": own,
            "References": own if own == root else f"{root} {own}",
        }
    if post.is_opening:
        return {"Message-ID": root}
    parent = message_id("post", post.reply_to_id, member) if post.reply_to_id else root
    before = root if parent == root else f"{root} {parent}"
    return {"Message-ID": own, "In-Reply-To": parent, "References": before}


def _unsubscribe(off: str) -> dict[str, str]:
    return {
        "List-Unsubscribe": f"<{off}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _list_id(thread: Thread) -> str:
    return f"<{thread.group.slug}.{site_host()}>"


# -- a post -----------------------------------------------------------------------------------


def _post_html(post: Post) -> str:
    """What a post says, as words with whole addresses; empty for one too long for a letter."""
    if len(post.html) > POST_MAX_CHARS:
        return ""
    # nh3 adds rel itself; what is not listed loses its tags and keeps its words.
    html = nh3.clean(post.html, tags=TAGS, attributes={"a": {"href"}}, link_rel=None)
    return re.sub(r'(<a href=")/(?!/)', rf"\g<1>{settings.SITE_URL}/", html)


def _post_text(post: Post) -> str:
    """What a post says, as it was typed, without marks of pictures."""
    text = PICTURE.sub(r"[\1]", post.body)
    if len(text) <= POST_MAX_CHARS:
        return text
    return strip_tags(text[:POST_MAX_CHARS]).rstrip() + "…"


__all__ = [
    "absolute",
    "address",
    "is_own_id",
    "message_id",
    "of_digest",
    "of_notification",
    "of_refusal",
]
