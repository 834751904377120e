"""Search: finding threads, posts, members and groups, by words and by what is known of them.

Words: a document is what search knows of one thing; a lexeme is a word as documents hold it
(stemmed); a hit is a document that was found. A saved search is a query kept by a member, with
alerts if they want them. A query speaks `words "phrases" -not prefix* in: tag: by: before:
after: is:`.
Pages: search, suggestions while typing, saved searches.
Listens to posts, threads, members and groups. Events: SavedSearchMatched.
"""
