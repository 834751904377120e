"""Flags: what members point out, gathered in cases, closed by decisions.

Words: a flag is one member's report of one target (a post, a message, a listing); a case gathers
the open flags on a target; a decision closes it: keep, or hide with a reason the author reads.
Pages: the flag form. The rest is in the admin (queue).
"""
