"""Touchpoints: what led to a sale, one row each, never changed.

Words: a visitor is a browser that consented; a click goes through our signed redirect and carries
an opaque click id to the shop. Bots and prefetches are stored as such and count for nothing.
Pages: /go/ (the redirect), consent.
"""
