"""The queue: where moderators work, inside the Django admin.

A case is read with everything needed to decide it: the words, the flags, the author's history.
A member's page has their standing and their sanctions, and where to change them. Moderators sign
in like everybody, with a second factor; their role may decide and sanction, and nothing else.
"""
