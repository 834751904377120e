"""Placements: a listing shown in a thread, by hand or because a post speaks of it.

Words: evidence is why the job linked (an address, a SKU, a GTIN, a brand with a rare model token);
weaker likeness only suggests. A removed placement is kept, so that the pair never comes back.
A message in chat that links to a listing has it under it (in_messages).
Events: listens to PostPublished, PostEdited, ThreadChanged, MessageSent and MessageEdited.
"""
