from __future__ import annotations


class TokenForged(Exception):
    """The token is not one of ours, or was changed."""


class TokenExpired(Exception):
    """The token is ours and too old to follow."""
