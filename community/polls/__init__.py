"""Polls: a question under a post, with one or several answers to choose.

Pages: the poll in its post. Votes come by form; results may wait until one has voted.
"""
