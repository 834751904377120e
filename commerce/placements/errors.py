"""Why a placement's verb refuses. Each message is a sentence its member can read."""

from __future__ import annotations


class PlacementRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message = "That listing cannot be shown here."

    def __str__(self) -> str:
        return self.message


class NotYours(PlacementRefusal):
    message = (
        "Only the post's author, the seller and the group's moderators decide what is shown here."
    )


class NotInGroup(PlacementRefusal):
    message = "Join the group before you link a listing in it."


class ThreadIsLocked(PlacementRefusal):
    message = "This thread was locked, so only moderators link listings in it."


class NotForThisThread(PlacementRefusal):
    message = "Not everybody who reads this thread may see that listing."


class NotLive(PlacementRefusal):
    message = "Only a live or reserved listing can be linked."


class WasRemoved(PlacementRefusal):
    message = (
        "It was shown here and taken away. Whoever removed it or a moderator can bring it back."
    )


class TooMany(PlacementRefusal):
    message = "There is no room for another listing here: five beside a post, thirty on a thread."


class NotASuggestion(PlacementRefusal):
    message = "That has been decided already."
