"""Audit: who did what to whom, when and why, written once and never changed.

The database itself refuses to change or delete an entry.
"""
