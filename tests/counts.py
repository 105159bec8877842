"""How much is tried: a sample with a fixed seed in `make test`, the full count in `make proof` (PROOF=1)."""

import os

from hypothesis import settings

FULL = os.environ.get("PROOF") == "1"

settings.register_profile("sample", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("proof", deadline=None, max_examples=3000)
settings.load_profile("proof" if FULL else "sample")


def count(sample: int, full: int) -> int:
    """The sample's number, or the full one."""
    return full if FULL else sample
