"""Profiles: a member's page as others see it, what they may change of it, and the directory.

Pages: a profile with its tabs (overview, posts, threads, reactions, badges, groups), the member
directory, settings. Nothing is shown or counted that the reader could not find by reading the
groups themselves.
"""
