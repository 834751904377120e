"""Why a placement's verb refuses. Each message is a sentence its member can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class PlacementRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message: ClassVar[StrOrPromise] = _("That listing cannot be shown here.")

    def __str__(self) -> str:
        return str(self.message)


class NotYours(PlacementRefusal):
    message = _(
        "Only the post's author, the seller and the group's moderators decide what is shown here."
    )


class NotInGroup(PlacementRefusal):
    message = _("Join the group before you link a listing in it.")


class ThreadIsLocked(PlacementRefusal):
    message = _("This thread was locked, so only moderators link listings in it.")


class NotForThisThread(PlacementRefusal):
    message = _("Not everybody who reads this thread may see that listing.")


class NotLive(PlacementRefusal):
    message = _("Only a live or reserved listing can be linked.")


class WasRemoved(PlacementRefusal):
    message = _(
        "It was shown here and taken away. Whoever removed it or a moderator can bring it back."
    )


class TooMany(PlacementRefusal):
    message = _(
        "There is no room for another listing here: five beside a post, thirty on a thread."
    )


class NotASuggestion(PlacementRefusal):
    message = _("That has been decided already.")
