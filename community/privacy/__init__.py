"""Privacy: a member takes their data along, or leaves and takes themselves out.

An **export** is a zip of JSON and pictures, made in slices and kept for a week; an **erasure**
waits for a week, then leaves posts under a neutral name and nothing that says whose they were.
What either does with a table is declared beside that table (config/personal.py). Pages: below
settings. Announces ExportReady and MemberChanged.
"""
