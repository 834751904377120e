"""Mine: what on a thread's page is one reader's alone, in one query, put on by the browser.

Words: the overlay says how far the reader has read, how closely they follow, their reactions and
bookmarks on the page's posts, and whom they fold. The pieces of the page know none of it
(config/pieces.py); `lib/mine.js` marks them. Without scripts the page still divides and folds.
"""
