"""Why a merchant's verb refuses. Each message is a sentence its member can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class MerchantRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message: ClassVar[StrOrPromise] = _("That is not possible for this merchant.")

    def __str__(self) -> str:
        return str(self.message)


class NotOnTeam(MerchantRefusal):
    message = _("Only the merchant's own team may do that.")


class NotOwner(MerchantRefusal):
    message = _("Only an owner of the shop may do that.")


class PersonalHasNoTeam(MerchantRefusal):
    message = _("A private seller sells alone. Open a shop to sell with others.")


class AlreadyOnTeam(MerchantRefusal):
    message = _("They are on the team already.")


class TeamFull(MerchantRefusal):
    message = _("A team has at most 50 people, open invitations included.")


class NoInvitation(MerchantRefusal):
    message = _("There is no open invitation to this team.")


class LastOwner(MerchantRefusal):
    message = _("A shop needs an owner. Make somebody else an owner first.")


class NameTaken(MerchantRefusal):
    message = _("There is a shop of this name already. Try another.")


class HostTaken(MerchantRefusal):
    message = _("Another shop here has this website.")


class HostFixed(MerchantRefusal):
    message = _("The website is set once: the listings' links lead there. Ask us to move it.")
