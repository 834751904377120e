"""What a guest had typed when they were sent to sign in: an expired session, or nobody yet.

It waits in their session, which signing in keeps, and becomes a draft of the member who comes of
it. Whoever has scripts finds it in their browser too; this is for those without.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from community.drafts.errors import DraftRefused
from community.drafts.models import Draft
from community.drafts.services import BODY_MAX_CHARS, TITLE_MAX_CHARS, save_draft
from community.drafts.targets import RESTORE, is_visible
from community.groups.models import Group
from community.members.models import Member

KEPT: Final = "typed"  # in the session
KEPT_SECONDS: Final = 24 * 3600


def keep_for_guest(request: HttpRequest) -> str:
    """Keep the form of a post that a guest sent; return where to come back to, or nothing."""
    match = request.resolver_match
    if match is None or "preview" in request.POST:
        return ""
    if match.url_name == "reply":
        return remember(request, f"thread:{match.kwargs['thread_id']}")
    if match.url_name == "edit_post":
        return remember(request, f"post:{match.kwargs['post_id']}")
    if match.url_name == "new_thread":
        # Which group that is, is looked up for the member: a guest learns of no hidden one.
        return remember(request, f"group:{match.kwargs['slug']}")
    return ""


def remember(request: HttpRequest, target: str) -> str:
    """Keep `body` and `title` of the form for `target`; return the address of its form.

    The target is a draft's, but that a group is named by its slug.
    """
    body = request.POST.get("body", "")[:BODY_MAX_CHARS]
    title = " ".join(request.POST.get("title", "").split())[:TITLE_MAX_CHARS]
    if not (body.strip() or title):
        return ""
    extra = {"reply_to": number} if (number := request.POST.get("reply_to", "")[:9]) else {}
    request.session[KEPT] = {"target": target, "title": title, "body": body, "extra": extra}
    request.session.set_expiry(KEPT_SECONDS)
    kind, _colon, name = target.partition(":")
    if kind == "thread":
        return f"/t/{name}/?page=last&{RESTORE}=1#reply"
    route = "new_thread" if kind == "group" else "edit_post"
    return f"{reverse(route, args=[name])}?{RESTORE}=1"


def take_over(sender: object, request: HttpRequest, user: Any, **_more: object) -> None:
    """Make a draft of what was typed before signing in or up. Listens to both signals of it.

    A draft kept from before goes below it. What cannot be kept is no reason not to sign in.
    """
    typed = request.session.pop(KEPT, None) if hasattr(request, "session") else None
    if not isinstance(typed, dict) or not isinstance(user, Member):
        return
    request.session.set_expiry(None)  # as long as any session from here on
    target = str(typed.get("target", ""))
    if target.startswith("group:"):
        slug = target.removeprefix("group:")
        group = Group.objects.visible_to(user).filter(slug=slug).first()
        target = f"group:{group.pk}" if group else ""
    if not is_visible(target, user):
        return
    body = str(typed.get("body", ""))
    before = Draft.objects.filter(member=user, target=target).first()
    if before is not None and before.body.strip() and before.body.strip() not in body:
        body = f"{body}\n\n{before.body}"[:BODY_MAX_CHARS]
    try:
        save_draft(
            member=user,
            target=target,
            body=body,
            title=str(typed.get("title", "")),
            extra=typed.get("extra") or {},
            sequence=(before.sequence if before else 0) + 1,
        )
    except DraftRefused:
        request.session[KEPT] = typed
