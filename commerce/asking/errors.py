"""Why somebody cannot ask. Each message is a sentence its member can read."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from community.chat.errors import MessageRefused


class OwnListing(MessageRefused):
    says = _("This is your own listing: what others ask stands among its questions.")
    status = 409


class NotToBeHad(MessageRefused):
    says = _("This listing is no longer there to be asked about.")
    status = 409


class NoFurther(MessageRefused):
    """One of the two sides blocked the other; neither is told."""

    says = _("No messages are taken here now.")
    status = 409


class AskedEnough(MessageRefused):
    says = _("You asked about many listings today. Come back tomorrow.")
    status = 429
