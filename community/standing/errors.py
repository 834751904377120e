"""Why standing is not changed, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class StandingRefused(Exception):
    """Nothing was written; `str()` is for whoever asked."""

    says: ClassVar[StrOrPromise]

    def __init__(self) -> None:
        super().__init__(str(self.says))


class ReasonMissing(StandingRefused):
    says = _("Say why; it is kept with the change.")


class BadgeHeld(StandingRefused):
    says = _("This member has the badge already.")
