"""Why a sanction is refused, in sentences for moderators."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class SanctionRefused(Exception):
    """Nothing was written. `str()` is shown to the moderator."""

    says: ClassVar[StrOrPromise]

    def __init__(self) -> None:
        super().__init__(str(self.says))


class MayNotSanction(SanctionRefused):
    says = _("Only moderators silence and suspend members.")


class NotThisMember(SanctionRefused):
    says = _("Nobody silences themselves, and only a superuser silences or suspends staff.")


class InForce(SanctionRefused):
    says = _("One like it is in force. Lift it first.")


class NotInForce(SanctionRefused):
    says = _("It is over already.")


class EndsBefore(SanctionRefused):
    says = _("It has to end in the future.")


class ReasonMissing(SanctionRefused):
    says = _("Say why; the member will read it.")
