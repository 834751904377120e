"""Tags: words threads are found by, of the site or of one group.

Words: a synonym is a tag that stands for another; threads carry only the one it stands for. A
group's tag goes before a tag of the site that is written the same. Here are the tags themselves;
what threads carry, and the pages, are `threads.tagging` and `threads.tag_pages`.
"""
