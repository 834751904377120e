"""Why a merchant's verb refuses. Each message is a sentence its member can read."""

from __future__ import annotations


class MerchantRefusal(Exception):
    """Base of all refusals here; `str()` is for the page."""

    message = "That is not possible for this merchant."

    def __str__(self) -> str:
        return self.message


class NotOnTeam(MerchantRefusal):
    message = "Only the merchant's own team may do that."


class NotOwner(MerchantRefusal):
    message = "Only an owner of the shop may do that."


class PersonalHasNoTeam(MerchantRefusal):
    message = "A private seller sells alone. Open a shop to sell with others."


class AlreadyOnTeam(MerchantRefusal):
    message = "They are on the team already."


class TeamFull(MerchantRefusal):
    message = "A team has at most 50 people, open invitations included."


class NoInvitation(MerchantRefusal):
    message = "There is no open invitation to this team."


class LastOwner(MerchantRefusal):
    message = "A shop needs an owner. Make somebody else an owner first."


class NameTaken(MerchantRefusal):
    message = "There is a shop of this name already. Try another."


class HostTaken(MerchantRefusal):
    message = "Another shop here has this website."


class HostFixed(MerchantRefusal):
    message = "The website is set once: the listings' links lead there. Ask us to move it."
