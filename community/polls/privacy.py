"""What becomes of a member's votes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.personal import Exported, also_erase, declare, keeps, keys, sweeps


def register() -> None:
    declare(
        "community.PollVote.member",
        Exported(
            "votes",
            _("How you voted in polls."),
            keys(
                post=("poll__post_id", _("the post the poll stands in")),
                question=("poll__question", _("what was asked")),
                answer=("option__text", _("what you chose")),
                voted_at=_("when"),
            ),
        ),
        keeps("A vote was cast; nobody sees whose."),
    )
    also_erase(
        "polls that name the member",
        sweeps("community.Poll", "question"),
        "A question may hold a mention.",
    )
    also_erase(
        "answers of polls that name the member",
        sweeps("community.PollOption", "text"),
        "An answer may hold a mention.",
    )
