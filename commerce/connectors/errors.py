from __future__ import annotations


class SecretUnreadable(Exception):
    """A stored secret cannot be read: its key is not among settings.FIELD_KEYS."""


class EndpointExists(Exception):
    """The merchant has a live endpoint already."""


class SecretChanged(Exception):
    """The secret is not the one the page was about: somebody rotated it meanwhile."""


class Refused(Exception):
    """A delivery is not taken; nothing was written. `status` is a 4xx, `sentence` says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class DeliveryConflict(Exception):
    """The id is known with another body."""


class NotReplayable(Exception):
    """The delivery was processed: there is nothing to do again."""
