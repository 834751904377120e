"""Addresses that letters lead to: switching them off without a session, and taking letters in."""

from __future__ import annotations

import base64
import binascii
import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from community.members.models import Member
from community.notifications import inbound as letters
from community.notifications.models import InboundEmail, Kind
from community.notifications.services import mute_thread, stop_digest, stop_emails
from community.notifications.tokens import Off, read_off_token
from community.threads.models import Thread


# Without session or token: the mail program asks, not a page of ours (RFC 8058).
@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def off(request: HttpRequest, token: str) -> HttpResponse:
    """Say what would be switched off (GET), and switch it off (POST). Twice is as once."""
    wish = read_off_token(token)
    if wish is None:
        raise Http404
    member = get_object_or_404(Member, pk=wish.member_id)
    if request.method == "POST":
        _switch_off(member, wish)
    return render(
        request,
        "community/notifications/off.html",
        {
            "what": wish.what,
            "kind": dict(Kind.choices).get(wish.which, ""),
            "muted": _thread(member, wish),
            "done": request.method == "POST",
        },
    )


def _switch_off(member: Member, wish: Off) -> None:
    if wish.what == "digest":
        stop_digest(member)
    elif wish.what == "thread":
        if thread := Thread.objects.filter(pk=int(wish.which)).first():
            mute_thread(member, thread)
    elif wish.what == "kind" and wish.which in Kind.values:
        stop_emails(member, wish.which)
    elif wish.what == "all":
        stop_emails(member)


def _thread(member: Member, wish: Off) -> Thread | None:
    """The thread to name, if the member may still know of it."""
    if wish.what != "thread":
        return None
    return Thread.objects.visible_to(member).filter(pk=int(wish.which)).first()


@csrf_exempt
@require_POST
def inbound(request: HttpRequest) -> HttpResponse:
    """Take a letter from the mail provider: JSON as Postmark sends it, or MIME as it came.

    202 when it is kept, 200 when it was before. 401 without the secret, 413 over 10 MB, 415 for
    another type, 422 for what cannot be read: nothing is kept of these.
    """
    if not settings.INBOUND_SECRET:
        raise Http404
    if not _knows_the_secret(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Basic"})
    kind = {
        "application/json": InboundEmail.Format.POSTMARK,
        "message/rfc822": InboundEmail.Format.MIME,
    }.get(request.content_type or "")
    if kind is None:
        return HttpResponse(status=415)
    raw = request.read(settings.INBOUND_MAX_BYTES + 1)
    if len(raw) > settings.INBOUND_MAX_BYTES:
        return HttpResponse(status=413)
    try:
        is_new = letters.take(raw, kind)
    except letters.Unreadable:
        return HttpResponse(status=422)
    return HttpResponse(status=202 if is_new else 200)


def _knows_the_secret(request: HttpRequest) -> bool:
    """Read the secret from `Authorization`: a bearer's token, or the password of any user."""
    scheme, _, said = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            said = base64.b64decode(said, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(said.strip().encode(), settings.INBOUND_SECRET.encode())
