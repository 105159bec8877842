"""What can go wrong on the floor, named after what happened."""


class KeyFault(Exception):
    """A key that the data needs is missing, wrong, truncated or readable by others. Nothing was touched."""


class HolderErased(Exception):
    """The data key of this holder was destroyed: what it sealed is gone for good."""


class SealBroken(Exception):
    """A sealed value does not open: it was altered, or moved from another row, column or holder."""


class ChainBroken(Exception):
    """The audit trail was altered, reordered or cut."""
