"""Tags: words threads are found by, of the site or of one group.

A synonym is a tag that stands for another; threads carry only the one it stands for.
"""
