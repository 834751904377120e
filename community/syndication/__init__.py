"""What the site says to machines that read it: search engines and feed readers.

Words: a **feed** is an Atom document of the newest threads of the site, a group or a tag, or of a
member's newest posts; a **part** is one of the documents a sitemap is cut into, by ranges of ids.
Whoever asks, the answer is what a guest may read, so it is the same for everybody.
Pages: /atom.xml and its like below a group, a tag, a member; /robots.txt, /sitemap.xml and its
parts. Announces nothing.
"""
