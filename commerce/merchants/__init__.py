"""Merchants: those who sell, from a shop with a team to one person with a shelf to clear.

Words: a merchant has a team; what a team member posts carries the merchant's disclosure.
"""
