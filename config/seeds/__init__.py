"""The demo's own content: its people, what they wrote and sold, and how pictures are drawn.

`content/` is what was written for it, `script` reads that, `seeding.seed` plays it on an empty
database through the services of the domains. Nothing here is used by a real site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Every member of the demo has it; it opens nothing but a demo on one's own machine.
DEMO_PASSWORD: Final = "ebb and flow"  # noqa: S105


@dataclass(frozen=True)
class Account:
    """A member of the demo that is worth signing in as."""

    handle: str
    who: str
    worth_trying: str


ACCOUNTS: Final = (
    Account(
        "ada",
        "a member",
        "read “Is the Optra R2-M still worth it”, answer it with a link to a listing, chat",
    ),
    Account(
        "mo",
        "a moderator",
        "decide the open cases under /staff/, lock a thread, read the hidden Harbour Office",
    ),
    Account(
        "shop",
        "a merchant",
        "see under Shore Optical what the threads sold, and why each sale is credited",
    ),
)


def welcome() -> str:
    """Return how to sign in and what to try, for the terminal; lines of at most 90 characters."""
    lines = [f"Sign in with the password “{DEMO_PASSWORD}” as", ""]
    for account in ACCOUNTS:
        lines.append(f"  {account.handle:<6}{account.who}:")
        lines.append(f"        {account.worth_trying}")
    return "\n".join(lines) + "\n"
