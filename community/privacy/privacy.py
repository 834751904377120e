"""What becomes of rows that are nobody's feature: sign-in, sessions, the admin's own log."""

from __future__ import annotations

import shutil
from functools import partial
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from community.members.models import Member
from community.privacy.exporting import path_of
from community.privacy.models import Export
from config.personal import (
    Erasing,
    Exported,
    NotExported,
    also_erase,
    declare,
    deletes,
    keeps,
    keys,
    neutral,
    runs,
    swept,
)

SESSIONS_A_BATCH = 1_000


def register() -> None:
    declare(
        "account.EmailAddress.user",
        Exported(
            "email_addresses",
            _("Your e-mail addresses."),
            keys(
                email=_("the address"),
                verified=_("whether you confirmed it"),
                primary=_("whether we write there"),
            ),
        ),
        deletes("Nobody is written to any more."),
    )
    declare(
        "mfa.Authenticator.user",
        Exported(
            "second_factors",
            _("How you prove who you are beside the password; what is secret is left out."),
            keys(
                type=_("authenticator app, passkey or recovery codes"),
                created_at=_("since when"),
                last_used_at=_("when last used"),
            ),
        ),
        deletes("Nobody signs in any more."),
    )
    declare(
        "admin.LogEntry.user",
        NotExported(_("The site's record of what staff did.")),
        keeps("What staff did is kept."),
    )
    declare(
        "community.Export.member",
        Exported(
            "exports",
            _("Copies of your data, this one among them."),
            keys(
                asked_at=_("when you asked"),
                ready_at=_("when it was ready"),
                expires_at=_("until when"),
            ),
        ),
        runs("deletes", delete_exports, "The copy holds all that is being erased."),
    )
    declare(
        "community.Erasure.member",
        NotExported(_("It says that the account is to be erased, as the page does.")),
        keeps("It says that it was done, and when; it names nobody."),
    )
    declare(
        "community.Erasure.asked_by",
        NotExported(_("The site's record of what staff did.")),
        keeps("What staff did is kept."),
    )
    also_erase("sessions", end_sessions, "They ended with the password; their rows go too.")
    also_erase(
        "the admin's log",
        swept("admin.LogEntry", _may_tell, rewrite_log),
        "It names rows as they were called.",
    )


def delete_exports(erasing: Erasing, after: str) -> str | None:
    for export in Export.objects.filter(member=erasing.member_id):
        folder = path_of(export).parent
        export.delete()
        transaction.on_commit(partial(shutil.rmtree, folder, ignore_errors=True))
    return None


def end_sessions(erasing: Erasing, after: str) -> str | None:
    """Delete the member's sessions: whose one is stands inside, so all are looked through."""
    found = Session.objects.order_by("pk")
    some = list((found.filter(pk__gt=after) if after else found)[:SESSIONS_A_BATCH])
    whose = str(erasing.member_id)
    theirs = [one.pk for one in some if str(one.get_decoded().get(SESSION_KEY)) == whose]
    Session.objects.filter(pk__in=theirs).delete()
    return some[-1].pk if len(some) == SESSIONS_A_BATCH else None


def _may_tell(erasing: Erasing) -> Q:
    member = ContentType.objects.get_for_model(Member)
    wanted = Q(content_type=member, object_id=str(erasing.member_id))
    for word in (erasing.name, f"@{erasing.handle}", *erasing.emails):
        wanted |= Q(object_repr__icontains=word) | Q(change_message__icontains=word)
    return wanted


def rewrite_log(erasing: Erasing, entries: Any) -> None:
    member = ContentType.objects.get_for_model(Member)
    for entry in entries:
        is_them = (entry.content_type_id, entry.object_id) == (member.pk, str(erasing.member_id))
        said = neutral(entry.object_repr, erasing).replace(erasing.name, erasing.new_name)
        LogEntry.objects.filter(pk=entry.pk).update(
            object_repr=erasing.new_name if is_them else said[:200],
            change_message=neutral(entry.change_message, erasing).replace(
                erasing.name, erasing.new_name
            ),
        )
