"""Why a flag or a decision is refused, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class FlagRefused(Exception):
    """Nothing was written. `str()` is shown to the member."""

    says: ClassVar[StrOrPromise] = _("That could not be flagged.")

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or str(self.says))


class OwnContent(FlagRefused):
    says = _("This is your own. You can edit it instead.")


class AlreadyHidden(FlagRefused):
    says = _("A moderator has hidden this already.")


class TooManyFlags(FlagRefused):
    says = _("That is a lot of flags for one day. Come back tomorrow.")


class MayNotDecide(FlagRefused):
    says = _("Only moderators decide cases.")


class OwnCase(FlagRefused):
    says = _("This is about something of yours. Leave it to another moderator.")


class CaseClosed(FlagRefused):
    says = _("Somebody has decided this case in the meantime.")


class ReasonMissing(FlagRefused):
    says = _("Say why; the author will read it.")
