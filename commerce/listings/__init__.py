"""Listings: what is for sale, and what is wanted.

Words: a listing is draft, live, reserved, sold or withdrawn; sold listings keep their price.
Pages: a listing, selling (new and edit), a merchant's listings.
"""
