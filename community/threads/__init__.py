"""Threads: the talk of a group.

Words: a thread holds posts; the first is the opening post, the rest replies. A post has a number
in its thread, taken under the thread's lock and never used twice. An edit keeps a revision.
Pages: home, a group's list, a thread in pages of 20 by post number, the composer with preview.
Events: PostPublished, PostEdited.
"""
