"""Importing: talk that began elsewhere, brought in with its dates and authors.

A **source** is one site's dump: Stack Exchange, Discourse, Reddit or phpBB, each read by a module
of that name into a scratch file (`spool`), from where one `engine` makes members, groups, threads
and posts. A second run changes nothing: every row read is remembered by (source, kind, external
id). The same rows lead the site's old addresses (`addresses`) to what became of them, at
`/old/<host or source>/…`. Commands: import_stackexchange, import_discourse, import_reddit,
import_phpbb.
"""
