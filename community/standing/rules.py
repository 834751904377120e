"""The rules badges are earned by: a closed set, kept as JSON. Pure.

{"count": "posts", "at_least": 10}   one of COUNTS, of a member, so often
{"first": "reply"}                   one of FIRSTS, for the first time
{"trust": 2}                         a trust level reached
{"anniversary_years": 1}             so long after joining, and still about
"""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

COUNTS: Final = (
    *("posts", "threads", "reactions_given", "reactions_received"),
    *("reactions_received_on_one_post", "replies_to_one_thread", "answers", "days_visited"),
    "posts_read",
)
FIRSTS: Final = ("thread", "reply", "reaction", "quote", "mention", "answer", "profile")
MOST: Final = 1_000_000_000


def clean_rule(rule: Any) -> None:
    """Raise ValidationError unless `rule` is None or one that is known."""
    if rule is None:
        return
    if isinstance(rule, dict):
        match rule:
            case {"count": count, "at_least": least} if len(rule) == 2:
                fits = count in COUNTS and _is_number(least, 1, MOST)
            case {"first": first} if len(rule) == 1:
                fits = first in FIRSTS
            case {"trust": level} if len(rule) == 1:
                fits = _is_number(level, 1, 4)
            case {"anniversary_years": years} if len(rule) == 1:
                fits = _is_number(years, 1, 100)
            case _:
                fits = False
        if fits:
            return
    raise ValidationError(
        _("A rule is one of %(shapes)s.")
        % {
            "shapes": '{"count": "posts", "at_least": 10}, {"first": "reply"}, {"trust": 2}, '
            '{"anniversary_years": 1}'
        }
    )


def _is_number(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def reason_of(rule: dict[str, Any], level: str = "") -> str:
    """Say in the active language what was done to fulfil `rule`. `level` names a trust level."""
    match rule:
        case {"count": count, "at_least": n}:
            return _counted(str(count), int(n))
        case {"first": first}:
            return {
                "thread": _("Opened a first thread."),
                "reply": _("Wrote a first reply."),
                "reaction": _("Gave a first reaction."),
                "quote": _("Quoted somebody for the first time."),
                "mention": _("Named somebody in a post for the first time."),
                "answer": _("Wrote the answer to a question for the first time."),
                "profile": _("Said something about themselves in their profile."),
            }.get(str(first), "")
        case {"trust": _level}:
            return _("Reached the trust level “%(level)s”.") % {"level": level}
        case {"anniversary_years": years}:
            n = int(years)
            return ngettext("Here for %(n)s year.", "Here for %(n)s years.", n) % {"n": n}
    return ""


def _counted(count: str, n: int) -> str:
    says = {
        "posts": ngettext("Wrote %(n)s post.", "Wrote %(n)s posts.", n),
        "threads": ngettext("Opened %(n)s thread.", "Opened %(n)s threads.", n),
        "reactions_given": ngettext("Gave %(n)s reaction.", "Gave %(n)s reactions.", n),
        "reactions_received": ngettext("Received %(n)s reaction.", "Received %(n)s reactions.", n),
        "reactions_received_on_one_post": ngettext(
            "Wrote a post that received %(n)s reaction.",
            "Wrote a post that received %(n)s reactions.",
            n,
        ),
        "replies_to_one_thread": ngettext(
            "Opened a thread that others answered %(n)s time.",
            "Opened a thread that others answered %(n)s times.",
            n,
        ),
        "answers": ngettext(
            "Wrote the answer to %(n)s question.", "Wrote the answer to %(n)s questions.", n
        ),
        "days_visited": ngettext("Read here on %(n)s day.", "Read here on %(n)s days.", n),
        "posts_read": ngettext("Read %(n)s post.", "Read %(n)s posts.", n),
    }
    return says.get(count, "") % {"n": n}
