"""Hiding: content is hidden with a who, a when and a why, never deleted.

Posts, messages and listings share these columns; the audit entry beside them is moderation's.
"""
