"""Profiles: a member's page as others see it, and what they may change about themselves.

Pages: a profile with its groups and posts, settings. Nothing is shown that the reader could not
find by reading the groups themselves.
"""
