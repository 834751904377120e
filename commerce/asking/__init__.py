"""Asking about a listing: a room of a buyer and the merchant's team, with the listing pinned.

Words: the buyer is who asked; the team is whoever is on it now, so who joins it reads what was
asked before, and who leaves it reads nothing more. Pages: the room itself is chat's; a merchant's
questions. Events: listens to MessageSent.
"""
