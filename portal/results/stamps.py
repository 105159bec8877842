"""What a figure carries besides its numbers: the day it is of, and a digest of its content, the same for the same
figures on every machine."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any


def canonical(document: Mapping[str, Any]) -> str:
    """A document of plain data as text: keys in order, no spaces."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def stamped(document: Mapping[str, Any], *, as_of: date) -> dict[str, Any]:
    """The document with its day, and as `hash` the SHA-256 in hex of everything else in it."""
    whole = {**document, "as_of": as_of.isoformat()}
    return {**whole, "hash": hashlib.sha256(canonical(whole).encode()).hexdigest()}
