"""Orders: what merchants sold, as their shops said it.

Words: an order has lines; a refund gives back part of it, by line or as one amount. A refund that
comes before its order is parked until the order is there. An order is what its newest version
says (`version_at`, the shop's own time); nothing is ever deleted, a removed line counts nothing.
Events: listens to DeliveryReceived; announces OrderRecorded and OrderRefunded.
"""
