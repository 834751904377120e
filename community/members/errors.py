"""Why something between two members is refused, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class MemberRefusal(Exception):
    """Nothing was done. `reason` is shown to the member; `status` is the HTTP answer."""

    says: ClassVar[StrOrPromise] = _("That is not possible.")
    status: ClassVar[int] = 422

    def __init__(self, reason: str = "") -> None:
        self.reason = reason or str(self.says)
        super().__init__(self.reason)


class NotYourself(MemberRefusal):
    says = _("You cannot mute or block yourself.")


class MayNotWrite(MemberRefusal):
    says = _("You can read here, but not write for now.")
    status = 403


class MayNotSignIn(MemberRefusal):
    says = _("You cannot sign in for now.")
    status = 403
