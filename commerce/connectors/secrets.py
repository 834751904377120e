"""Merchants' secrets: made here, shown once, kept encrypted.

settings.FIELD_KEYS are the keys, newest first; `manage.py rotate_field_keys` brings old rows to
the newest, after which the older keys can go.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from commerce.connectors.errors import SecretUnreadable

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Return a secret as Standard Webhooks writes them: whsec_ and base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def last_four(secret: str) -> str:
    """Return what a merchant recognises a secret by; the padding at its end says nothing."""
    return secret.rstrip("=")[-4:]


def encrypt(secret: str) -> str:
    return _keys().encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """Return the secret. Raises SecretUnreadable when its key is not among FIELD_KEYS."""
    try:
        return _keys().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def reencrypt(stored: str) -> str:
    """Return the same secret under the newest key. Raises SecretUnreadable."""
    try:
        return _keys().rotate(stored.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def under_newest_key(stored: str) -> bool:
    try:
        Fernet(settings.FIELD_KEYS[0]).decrypt(stored.encode())
    except InvalidToken:
        return False
    return True


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
