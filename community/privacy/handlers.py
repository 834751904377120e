"""What follows when a copy or an erasure was asked for."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from community.events import ErasureAsked, ExportAsked, ExportReady
from community.notifications.models import Kind
from community.notifications.services import notify
from community.privacy.models import Erasure, ErasureState, Export
from community.privacy.tasks import make_export


def begin_export(event: ExportAsked) -> None:
    """Hand it to the workers now; should they not hear, the clock finds it within a minute."""
    make_export.delay(event.export_id)


def tell_of_export(event: ExportReady) -> None:
    """Tell the member that their copy can be fetched; of one that is gone again, nothing."""
    found = Export.objects.downloadable().select_related("member")
    export = found.filter(pk=event.export_id, member__is_active=True).first()
    if export is not None:
        notify(
            member=export.member,
            kind=Kind.EXPORT,
            key=f"export:{export.pk}",
            details={"address": reverse("my_data")},
        )


def tell_of_erasure(event: ErasureAsked) -> None:
    """Write to the member, so that nobody erases another's account unseen."""
    erasure = Erasure.objects.select_related("member").get(pk=event.erasure_id)
    member = erasure.member
    if erasure.state != ErasureState.WAITING:
        return
    with translation.override(member.language or settings.LANGUAGE_CODE):
        context = {
            "member": member,
            "due_at": erasure.due_at,
            "site": settings.SITE_NAME,
            "address": settings.SITE_URL + reverse("erasure"),
        }
        send_mail(
            _("Your account at %(site)s will be erased") % {"site": settings.SITE_NAME},
            render_to_string("community/privacy/erasure_asked.txt", context),
            settings.DEFAULT_FROM_EMAIL,
            [member.email],
        )
