"""Bookmarks: posts a member keeps, with a note and, if wanted, a reminder.

Pages: the list, and a bookmark's form. Events: BookmarkDue, once for each time that was set.
"""
