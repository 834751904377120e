"""Chat: rooms of groups, beside threads, of people and of what other domains add, with messages.

Words: a room is of a kind, which says who reads it and who keeps order there; a member's place in
it is how far they read and what they are told. A message has a `seq`, taken from its room in the
insert's transaction, so that order and gaps are certain whatever the socket lost; what happens to
it later takes a `change`. An entry is what a moderator did. What goes over the socket is a hint.
Pages: the list of rooms, a room (a form without JavaScript), its settings, pins and people, what
may be done to a message, a thread made of messages. Socket: /ws/.
Events: MessageSent, MessageEdited, MessageHiddenChanged, TalkMadeThread.
"""
