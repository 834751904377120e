"""Why privacy's verbs refuse. Each message is a sentence its member can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

from config.personal import Obstacle

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class PrivacyRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message: ClassVar[StrOrPromise] = _("That is not possible now.")

    def __str__(self) -> str:
        return str(self.message)


class BeingMade(PrivacyRefusal):
    message = _("Your copy is being made already.")


class TooSoon(PrivacyRefusal):
    message = _("Your last copy is less than an hour old. Ask again a little later.")


class ErasureAsked(PrivacyRefusal):
    message = _("Your account is to be erased already.")


class TooLate(PrivacyRefusal):
    message = _("The erasure has begun and can no longer be taken back.")


class InTheWay(PrivacyRefusal):
    """Something has to be settled first; `obstacles` says what and where."""

    message = _("Something has to be settled before the account can be erased.")

    def __init__(self, obstacles: Sequence[Obstacle]) -> None:
        self.obstacles = obstacles
        super().__init__()
