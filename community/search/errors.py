"""Why a search is not saved. Each says so in a sentence for the member."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class NotSaved(Exception):
    """Nothing was written. `reason` is shown to the member."""

    says: ClassVar[StrOrPromise] = _("This search could not be saved.")

    def __init__(self) -> None:
        self.reason = str(self.says)
        super().__init__(self.reason)


class NothingToSave(NotSaved):
    says = _("There is nothing to search for yet. Write a word or choose a filter first.")


class TooManySaved(NotSaved):
    says = _("You keep as many searches as you can. Remove one first.")
