"""The access matrix: who gets what at every address, and what a refusal leaves behind.

`world` makes people, places and words that only some may read; `asking` asks as one of them and
says what came back, what was written and which words leaked; `rules` has the vocabulary of the
tables, `community_routes`, `commerce_routes` and `site_routes` are the tables.
"""
