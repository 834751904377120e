"""Why a tag is refused. Each says so in a sentence for the member."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class TagRefusal(Exception):
    """Nothing was written. `reason` is shown to the member."""

    says: ClassVar[StrOrPromise] = _("That is not possible with tags.")

    def __init__(self, reason: str = "") -> None:
        self.reason = reason or str(self.says)
        super().__init__(self.reason)


class NotATag(TagRefusal):
    says = _("A tag needs letters or digits.")


class TagTooLong(TagRefusal):
    says = _("A tag has at most 30 characters.")


class TooManyTags(TagRefusal):
    says = _("A thread carries at most 5 tags.")


class TagUnknown(TagRefusal):
    """A new member named tags there are not."""


class MayNotKeepTags(TagRefusal):
    says = _("Only the group's moderators can change its tags.")


class TagExists(TagRefusal):
    says = _("There is a tag of this name already. Merge the two instead.")


class NotOfOnePlace(TagRefusal):
    says = _("A tag can only stand for another of the same group, or of the whole site.")


class TagInUse(TagRefusal):
    says = _("Threads carry this tag. Merge it into another one instead.")
