"""The queue: where moderators work, inside the Django admin."""
