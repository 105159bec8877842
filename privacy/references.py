"""Short references that people can read out: no letter or digit looks like another."""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference(prefix: str = "") -> str:
    """A random reference such as `P-7KX4M2` (30^6 of them); its column is unique."""
    word = "".join(secrets.choice(ALPHABET) for _ in range(6))
    return f"{prefix}-{word}" if prefix else f"{word[:3]}-{word[3:]}"
