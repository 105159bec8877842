"""What can go wrong on the floor, named after what happened."""

from uuid import UUID


class KeyFault(Exception):
    """A key that the data needs is missing, wrong, truncated or readable by others. Nothing was touched."""


class HolderErased(Exception):
    """The data key of this holder was destroyed: what it sealed is gone for good."""


class SealBroken(Exception):
    """A sealed value does not open: it was altered, or moved from another row, column or holder.

    `table`, `column` and `row` say where it lies, as far as that is known.
    """

    def __init__(
        self, message: str, *, table: str = "subject_key", column: str = "wrapped", row: UUID | None = None
    ) -> None:
        super().__init__(message)
        self.table = table
        self.column = column
        self.row = row


class ChainBroken(Exception):
    """The audit trail was altered, reordered or cut."""


class Frozen(Exception):
    """The data is being returned to the Controller: nothing is written any more, but what belongs to that.

    `part`: only what is about some people is returned, and this touched it.
    """

    def __init__(self, *, part: bool = False) -> None:
        what = "The data of somebody whom this is about" if part else "The data"
        super().__init__(f"{what} is being handed back to the Department. It cannot be changed any more")
        self.part = part
