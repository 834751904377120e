"""Reactions: a small set of signs a member gives to a post (settings.REACTIONS).

Counts live on the post; whose they are, here. Pages: the bar under a post, who gave what. Events:
ReactionGiven.
"""
