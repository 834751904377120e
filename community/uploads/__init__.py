"""Uploads: pictures members bring, re-encoded before anyone sees them.

An image has an audience: the group it was uploaded for, or everybody when it has none (avatars,
listing photos). One brought for chat is confined to those who may read the message that shows it;
chat joins in `models.AUDIENCES` and says who that is. Its file is served by a view that asks
`visible_to` on every request.
"""
