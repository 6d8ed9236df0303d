"""Secrets that have to be stored: sealed with a key that the database does not have."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Sealer:
    """Seals with the first of its keys and opens with any, so that a key can be replaced while values stand."""

    def __init__(self, keys: str) -> None:
        """`keys` are Fernet keys (url-safe base64 of 32 bytes), the newest first, separated by commas.

        Raises ValueError where there is none, or one is malformed; its text does not repeat the key.
        """
        named = [key.strip() for key in keys.split(",") if key.strip()]
        try:
            self._fernet = MultiFernet([Fernet(key) for key in named])
        except ValueError:
            raise ValueError(
                "REPOSTREAM_SECRET_KEY must hold one or more Fernet keys (url-safe base64 of 32 bytes), "
                "the newest first, separated by commas"
            ) from None

    def seal(self, value: bytes) -> bytes:
        """`value`, encrypted and authenticated."""
        return self._fernet.encrypt(value)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ValueError where none of the keys fits, or it was changed."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise ValueError(
                "a stored secret cannot be opened: REPOSTREAM_SECRET_KEY lacks the key of its time"
            ) from None


def fresh_key() -> str:
    """A new key."""
    return Fernet.generate_key().decode()
