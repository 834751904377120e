"""Drafts: what a member has typed and not posted, one for each place it is meant for."""
