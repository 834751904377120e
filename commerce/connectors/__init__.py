"""Connectors: how a merchant's shop tells us what it sold.

Words: an endpoint is the address a shop posts to, with a secret it signs with; a delivery is one
such post, stored raw as it came, answered at once and processed from the row.
Pages: a merchant's connector, one delivery. Announces DeliveryReceived.
"""
