"""The base of every table. A table says why it exists and how long it is kept; a column says what it is.

Nothing here is optional: a class without a holding, a column without a class, or one about people that does not say
in words what it holds, does not import. Export, erasure, restriction, retention, the record of processing and the
return of data all read these declarations (cl 17.4, cl 17.8, schedule 3a; UK GDPR Articles 5 and 30).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Dialect, MetaData, String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


class Kind(StrEnum):
    """What a column holds. *Pseudonymous* is a reference that names nobody without another table."""

    NOT_PERSONAL = "not personal"
    PSEUDONYMOUS = "pseudonymous"
    PERSONAL = "personal"
    SPECIAL = "special"


class Keep(Enum):
    """How long rows are kept, in days after the moment the table's clock names; None has no end of its own.

    CONTRACT: until the data is returned or destroyed at the contract's end (cl 17.4(e), schedule 3a).
    """

    CONTRACT = ("until the contract ends", None)
    LEDGER = ("until the last backup that could bring the data back has expired", None)
    ACCOUNTS = ("6 years after the financial year of the last payment", None)
    SIGN_IN = ("1 day", 1)
    PARKED = ("1 day after it was sent", 1)
    BROWSER = ("30 days after it ended", 30)
    MAIL = ("90 days after it was sent", 90)
    RELEASED = ("7 days after it was ready, or until it is fetched", 7)

    def __init__(self, words: str, days: int | None) -> None:
        self.words = words
        self.days = days


class Erase(StrEnum):
    """What erasing the subject does to a value, or to the whole row.

    On a column that points at somebody else than the row's subject: DELETE_ROW takes the row with them, BLANK
    empties the column, KEEP leaves it, and what it points at stays as an empty row.
    """

    DELETE_ROW = "delete row"
    BLANK = "blank"
    KEEP = "keep"


@dataclass(frozen=True)
class Holding:
    """What a table is for.

    `subject` is the column that leads to the person: its foreign key is followed, and that table's own
    subject column in turn, until a root is reached. None: the table is about nobody. A root names itself
    (`root="person"`); `stands_for` marks the table through which another root is reached, so that a module
    further down can name a root whose person it does not know.

    `clock` names the columns of the moment from which a keeping time in days runs: the first that is set counts.
    `shared_by` is the table whose rows tie people to this one: what is written here is about all of them, and
    goes with the last.
    """

    purpose: str
    keep: Keep
    subject: str | None = None
    root: str | None = None
    stands_for: str | None = None
    erase: Erase = Erase.KEEP
    clock: tuple[str, ...] = ()
    shared_by: str | None = None


@dataclass(frozen=True)
class Held:
    """What a column is. `purpose`: the table's holds where it says none of its own.

    `holds` says what is in it, as people read it at the head of a value: it stands alone, without the table's name.
    What is neither personal nor special may leave it out, and is then called by its own name.
    `others`: it is about other people than the row's subject, and comes with nobody's export (Article 15(4)).
    """

    kind: Kind
    erase: Erase
    sealed: bool = False
    purpose: str | None = None
    holder: str | None = None
    others: bool = False
    holds: str | None = None


def plain(purpose: str | None = None, *, holds: str | None = None) -> dict[str, Any]:
    """Mark a column that says nothing about anybody. `holds` where its own name would tell people little."""
    return {"held": Held(Kind.NOT_PERSONAL, Erase.KEEP, purpose=purpose, holds=holds)}


def reference(
    purpose: str | None = None, *, holds: str | None = None, erase: Erase = Erase.KEEP
) -> dict[str, Any]:
    """Mark a column that points at a person or a person's row, and names nobody by itself."""
    return {"held": Held(Kind.PSEUDONYMOUS, erase, purpose=purpose, holds=holds)}


def personal(*, holds: str, purpose: str | None = None, erase: Erase = Erase.BLANK) -> dict[str, Any]:
    """Mark a column about a person that has to stay in clear; the register of holdings shows it as such."""
    return {"held": Held(Kind.PERSONAL, erase, purpose=purpose, holds=holds)}


def new_id() -> UUID:
    """A random id: it tells neither order nor time, so ids give nothing away."""
    return uuid4()


class NaiveInstant(ValueError):
    """A moment without a time zone was about to be stored."""


class Instant(TypeDecorator[datetime]):
    """A moment, stored in UTC and given back aware on both databases; naive values are refused.

    SQLite drops the zone silently, so that 09:00 BST would come back as 09:00 of nowhere.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveInstant(f"{value!r} has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        # SQLite keeps the text of a UTC time; read in one step, for reports read a hundred thousand of them.
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


class Word(TypeDecorator[StrEnum]):
    """A word of a closed vocabulary, stored as text and given back as the enum's member."""

    impl = String
    cache_ok = True

    def __init__(self, vocabulary: type[StrEnum]) -> None:
        super().__init__(40)
        self.vocabulary = vocabulary

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.vocabulary(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.vocabulary(value)


class Unclassified(TypeError):
    """A table or a column does not say what it holds."""


class Record(DeclarativeBase):
    """The base of every table in the data database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: Instant()}
    __holding__: ClassVar[Holding]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "__holding__" not in cls.__dict__:
            raise Unclassified(
                f"{cls.__name__} must say what it is for and how long it is kept (__holding__)"
            )
        super().__init_subclass__(**kwargs)
        loose = [column.name for column in cls.__table__.columns if not _says(column.info.get("held"))]
        if loose:
            raise Unclassified(f"{cls.__name__} does not say what these columns hold: {', '.join(loose)}")


def _says(held: Held | None) -> bool:
    """Whether a column is classified, and in words where it is about people."""
    return held is not None and bool(held.holds or held.kind in (Kind.NOT_PERSONAL, Kind.PSEUDONYMOUS))
