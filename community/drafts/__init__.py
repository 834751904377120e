"""Drafts: what a member has typed and not posted, one for each place it is meant for.

A target names that place: `thread:12` a reply, `group:7` a new thread, `post:55` an edit. Each
save carries a sequence; of two the later wins. A draft dies with the post made of it, in the same
transaction. What a guest had typed when they were sent to sign in waits in their session.
Pages: the list, taking a post back within seconds of posting it. Events: none.
"""
