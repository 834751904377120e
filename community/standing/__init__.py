"""Standing: how far the community trusts a member, and what it thanks them for.

Words: a trust level (0 to 4) is earned by reading and being read, as in Discourse; a newcomer is a
member at level 0, whose posts have limits; a badge has a rule and is granted once, for a reason
one can read. Pages: one's own standing, all badges, one badge with its holders. Events:
TrustChanged, BadgeEarned.
"""
