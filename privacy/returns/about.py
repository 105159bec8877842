"""What a package says about itself: for which contract, on whose direction, how much of the data, made when."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class About:
    """`direction` is the reference of the Controller's letter, None in a rehearsal; `scope` is `all`, or `council:` or
    `person:` with an id; `schema` the version of the tables."""

    contract: str
    processor: str
    controller: str
    release: str
    schema: str | None
    direction: str | None
    scope: str
    rehearsal: bool
    made_at: datetime

    def document(self) -> dict[str, object]:
        return {
            "contract": self.contract,
            "processor": self.processor,
            "controller": self.controller,
            "direction": self.direction,
            "scope": self.scope,
            "rehearsal": self.rehearsal,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "release": self.release,
            "schema": self.schema,
        }
