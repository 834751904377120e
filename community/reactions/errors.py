"""Why a reaction is not given."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ReactionRefused(Exception):
    """Nothing was written; `str()` is for the member."""

    says: ClassVar[StrOrPromise]
    status: ClassVar[int] = 403

    def __str__(self) -> str:
        return str(self.says)


class OwnPost(ReactionRefused):
    says = _("Reactions are for what others write.")


class PostIsHidden(ReactionRefused):
    says = _("This post is hidden.")


class UnknownReaction(ReactionRefused):
    says = _("There is no such reaction here.")
    status = 422
