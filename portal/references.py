"""Short references, as the roof uses them; they are made on the floor, since responses carry one too."""

from privacy.references import ALPHABET, new_reference

__all__ = ["ALPHABET", "new_reference"]
