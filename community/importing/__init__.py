"""Importing: talk that began elsewhere, brought in with its dates and authors.

A second run changes nothing: every row read is remembered by (source, kind, external id).
Commands: import_stackexchange.
"""
