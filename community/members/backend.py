"""Who is signed in: allauth's backend, with the member looked up by a prepared statement."""

from __future__ import annotations

from typing import Final

from allauth.account.auth_backends import AuthenticationBackend

from community.members.models import Member
from config.written import Written


class Backend(AuthenticationBackend):  # type: ignore[misc]
    def get_user(self, user_id: int) -> Member | None:
        member = next(iter(_BY_KEY.rows(int(user_id))), None)
        return member if member is not None and self.user_can_authenticate(member) else None


_BY_KEY: Final = Written(lambda pk: Member.objects.filter(pk=pk))
