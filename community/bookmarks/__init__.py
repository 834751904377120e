"""Bookmarks: posts a member keeps, with a note and, if wanted, a reminder."""
