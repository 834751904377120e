"""Sanctions: what a member may not do for a while, by whom and why.

A silenced member reads and writes nothing; a suspended one cannot sign in, and open sessions end.
Each has a reason the member reads, and an end or none; it can be lifted before. No pages of its
own: moderators work in the admin (queue).
"""
