"""Codes that people type from paper: derived from the id of their row with a key outside the database. Pure.

Nothing of a code is stored. The letters are those of Crockford's base 32, in which no two look alike.
"""

import hmac
from uuid import UUID

from portal.models import FactorKind
from privacy.keys import KeyRing

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTHS = {FactorKind.START: 8, FactorKind.RECOVERY: 12}
"""Letters of 5 bits each: 40 bits for once within days, 60 for a code that lies in a drawer."""
_ALIKE = str.maketrans("OIL", "011")


def code_of(ring: KeyRing, kind: FactorKind, factor_id: UUID) -> str:
    """The code of a row, in groups of four."""
    mac = ring.digest("token", f"{kind.value} code|v1", factor_id.bytes)
    number, letters = int.from_bytes(mac[:16], "big"), []
    for _ in range(LENGTHS[kind]):
        number, rest = divmod(number, len(LETTERS))
        letters.append(LETTERS[rest])
    return "-".join("".join(letters[first : first + 4]) for first in range(0, len(letters), 4))


def is_code(ring: KeyRing, kind: FactorKind, factor_id: UUID, typed: str) -> bool:
    """Whether somebody typed the code of a row, however they wrote it."""
    return hmac.compare_digest(normal(code_of(ring, kind, factor_id)).encode(), normal(typed).encode())


def normal(typed: str) -> str:
    """A code without spaces and dashes, in capitals, with what looks alike made one."""
    return "".join(letter for letter in typed.upper() if letter.isalnum()).translate(_ALIKE)
