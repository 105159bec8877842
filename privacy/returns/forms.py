"""What a table looks like in a package: which columns are in it, under which names, and how they are asked for.

It is read off the declarations. The database gives instants and ids as text; what they look like is then the same for
both databases. What rests on our keys is left out: keyed digests, and secrets of sign-ins.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    cast,
    func,
    type_coerce,
)
from sqlalchemy import String as SqlString
from sqlalchemy.sql.elements import ColumnElement

from privacy import reach
from privacy.columns import Sealed, SealedBytes, SealedJson, sealed_columns
from privacy.records import Held, Instant, Word

KEYED = "a keyed digest or a secret: it serves nobody without our keys"
OF_EACH_INSTANCE = "the mark of one installation: each has its own"


@dataclass(frozen=True)
class Form:
    """One column as it is written down. `holders` are the columns that name whose key seals it: the first that is
    set counts."""

    column: Column[Any]
    name: str
    kind: str
    sealed: bool = False
    holders: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """The column in the schema."""
        held: Held = self.column.info["held"]
        keys = [key.target_fullname for key in self.column.foreign_keys]
        return {
            "name": self.name,
            "kind": self.kind,
            "nullable": bool(self.column.nullable),
            "sealed_for": list(self.holders) if self.sealed else None,
            "refers_to": keys[0] if keys else None,
            "about": held.kind.value,
            "purpose": held.purpose,
        }


def kind_of(column: Column[Any]) -> str:
    """What a column in clear holds: id, instant, date, boolean, integer, json, text. TypeError for another one."""
    match column.type:
        case Uuid():
            return "id"
        case Instant():
            return "instant"
        case Date():
            return "date"
        case Boolean():
            return "boolean"
        case Integer():
            return "integer"
        case JSON():
            return "json"
        case SqlString() | Word():
            return "text"
    raise TypeError(f"{column} holds {column.type!r}, which no form is known for")


@dataclass(frozen=True)
class TableForm:
    """A table as it is written down: its columns, and those that are left out."""

    table: Table
    forms: tuple[Form, ...]
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def holds_files(self) -> bool:
        return any(form.kind == "file" for form in self.forms)

    @property
    def is_sealed(self) -> bool:
        return any(form.sealed for form in self.forms)

    @cached_property
    def template(self) -> str:
        """A line of JSON."""
        return "{" + ",".join(f"{json.dumps(form.name)}:%s" for form in self.forms) + "}\n"

    @cached_property
    def row(self) -> str:
        """A row of CSV."""
        return ",".join("%s" for _ in self.forms) + "\r\n"

    def selected(self, dialect: str) -> list[ColumnElement[Any]]:
        """What is asked of the database for each form, in order."""
        return [_raw(form, dialect) for form in self.forms]


def form_of(table: Table) -> TableForm:
    """The form of a table, read off its declarations."""
    kind = reach.mapper_of(table).class_
    sealed = {one.column: one for one in sealed_columns(kind)}
    names = {
        id(value): name
        for cls in kind.__mro__
        for name, value in vars(cls).items()
        if isinstance(value, Sealed)
    }
    forms, left_out = [], []
    for column in table.columns:
        one = sealed.get(column.name)
        if one is not None:
            holders = holder_columns(kind, table, str(column.info["held"].holder))
            forms.append(Form(column, names[id(one)], _sealed_kind(one), True, holders))
        elif isinstance(column.type, LargeBinary):
            left_out.append(column.name)
        else:
            forms.append(Form(column, column.name, kind_of(column)))
    return TableForm(table, tuple(forms), tuple(left_out))


def _sealed_kind(one: Sealed[Any]) -> str:
    match one:
        case SealedBytes():
            return "file"
        case SealedJson():
            return "json"
    return "text"


def holder_columns(kind: type, table: Table, name: str) -> tuple[str, ...]:
    """The columns that name a holder. Where a property chooses among some, it is tried which it takes first."""
    if name in table.c:
        return (name,)
    choose = getattr(kind, name).fget
    left = {column.name: column.name for column in table.columns}
    order = []
    while (taken := choose(SimpleNamespace(**left))) is not None:
        order.append(taken)
        left[taken] = None  # type: ignore[assignment]  # an empty column, which the property must pass over
    return tuple(order)


def _raw(form: Form, dialect: str) -> ColumnElement[Any]:
    column = form.column
    if dialect == "sqlite":
        # As it lies there: text for ids and instants, which costs least.
        return column if form.sealed else type_coerce(column, Integer if form.kind in _NUMBERS else SqlString)
    if form.kind == "instant":
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    return cast(column, Text) if form.kind in ("id", "date", "json") and not form.sealed else column


_NUMBERS = ("integer", "boolean")
