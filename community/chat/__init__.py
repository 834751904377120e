"""Chat: a room a group, with messages numbered per room.

Words: a room has messages; a message has a `seq`, taken from its room in the insert's transaction,
so that order and gaps are certain whatever the socket lost. What goes over the socket is a hint.
Pages: the list of rooms, a room (a form without JavaScript). Socket: /ws/.
Events: MessageSent.
"""
