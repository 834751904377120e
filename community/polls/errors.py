"""Why a poll is not made, changed or voted in. Each says so in a sentence for the member."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from community.threads.errors import Refused, Unfit


class MayNotVote(Refused):
    says = _("Members of this group vote here. Join the group first.")


class PollClosed(Refused):
    says = _("This poll is closed.")
    status = 409


class ChoiceMissing(Unfit):
    says = _("Choose an answer first.")


class TooManyChoices(Unfit):
    says = _("You chose more answers than this poll takes.")


class UnknownChoice(Unfit):
    says = _("That answer is not in this poll.")


class MayNotManage(Refused):
    says = _("Only its author and the group's moderators change or close a poll.")


class VotesCast(Refused):
    says = _("Somebody has voted, so nothing but the closing time can change.")
    status = 409
