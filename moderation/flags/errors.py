"""Why a flag or a decision is refused, in sentences."""

from __future__ import annotations

from typing import ClassVar


class FlagRefused(Exception):
    """Nothing was written. `str()` is shown to the member."""

    says: ClassVar[str] = "That could not be flagged."

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or self.says)


class OwnContent(FlagRefused):
    says = "This is your own. You can edit it instead."


class AlreadyHidden(FlagRefused):
    says = "A moderator has hidden this already."


class TooManyFlags(FlagRefused):
    says = "That is a lot of flags for one day. Come back tomorrow."


class MayNotDecide(FlagRefused):
    says = "Only moderators decide cases."


class OwnCase(FlagRefused):
    says = "This is about something of yours. Leave it to another moderator."


class CaseClosed(FlagRefused):
    says = "Somebody has decided this case in the meantime."


class ReasonMissing(FlagRefused):
    says = "Say why; the author will read it."
