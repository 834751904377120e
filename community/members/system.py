"""The member in whose name the site itself acts: an account nobody can sign in to."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

from community.members.models import Member

SYSTEM_EMAIL: Final = "system@shoal.invalid"
SYSTEM_HANDLE: Final = "shoal-system"


def system_member() -> Member:
    """Return it, made on first use."""
    member, _made = Member.objects.get_or_create(
        email=SYSTEM_EMAIL,
        defaults={
            "handle": SYSTEM_HANDLE,
            "name": gettext_noop("The site itself"),
            "is_active": False,
            "is_listed": False,
            "password": "!",  # no password fits
        },
    )
    return member
