"""Why a draft is not kept, or a post not taken back. Each says so in a sentence for the member."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from community.drafts.models import Draft


class DraftRefused(Exception):
    """Nothing was written; `str()` says why, `status` is the HTTP answer."""

    says: ClassVar[StrOrPromise] = _("The draft was not kept.")
    status: ClassVar[int] = 422

    def __init__(self) -> None:
        super().__init__(str(self.says))


class DraftOutdated(DraftRefused):
    """A later one is kept already: `newer`."""

    says = _("You typed on elsewhere. That text is newer.")
    status = 409

    def __init__(self, newer: Draft) -> None:
        super().__init__()
        self.newer = newer


class AlreadyPosted(DraftRefused):
    says = _("This was posted meanwhile.")
    status = 410


class DraftTooLong(DraftRefused):
    says = _("The text is too long to keep here. It stays in this browser.")


class TooManyDrafts(DraftRefused):
    says = _("You keep as many drafts as there is room for. Discard some first.")


class TooLateToTakeBack(DraftRefused):
    says = _("It is too late to take the post back. You can still delete it by its menu.")
    status = 409


class RepliedMeanwhile(DraftRefused):
    says = _("Somebody has written after it, so the post stays. You can delete it by its menu.")
    status = 409
