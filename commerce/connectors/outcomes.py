"""What came of a delivery: kept on its row in English, read in the reader's language."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext, gettext_noop

ORDER_WRITTEN: Final = gettext_noop("Order %(number)s was written.")
ORDER_KNOWN: Final = gettext_noop(
    "We have this version of order %(number)s or a newer one, so it changed nothing."
)
REFUND_WRITTEN: Final = gettext_noop("The refund was written to order %(number)s.")
REFUND_KNOWN: Final = gettext_noop("We had this refund already, so it changed nothing.")
REFUND_WAITS: Final = gettext_noop("We have no order %(number)s yet; the refund waits for it.")
REFUND_WAITS_ALREADY: Final = gettext_noop("We had this refund already; it waits for its order.")
ORDER_CAME: Final = gettext_noop("Its order came, so it was written.")
OUR_ERROR: Final = gettext_noop("An error of ours (%(error)s). Nothing was written.")
OTHER_CURRENCY: Final = gettext_noop("Order %(number)s is in %(known)s, but this says %(said)s.")

_ALL: Final = tuple(
    (said, re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(said)), re.DOTALL))
    for said in (
        *(ORDER_WRITTEN, ORDER_KNOWN, REFUND_WRITTEN, REFUND_KNOWN, REFUND_WAITS),
        *(REFUND_WAITS_ALREADY, ORDER_CAME, OUR_ERROR, OTHER_CURRENCY),
    )
)


def outcome_words(outcome: str) -> str:
    """Say an outcome in the active language; what a shop's own words are part of stays English."""
    for said, form in _ALL:
        if found := form.fullmatch(outcome):
            return gettext(said) % found.groupdict()
    return outcome
