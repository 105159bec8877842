"""A migration works with the release before it: it adds what that does not need, and takes away or changes nothing.

Hosts are upgraded one after the other: while the first runs on the new tables, the others still run on the release
before. So what a migration does is read, as the statements that PostgreSQL would get.
"""

import io
import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from portal import schema

SCRIPTS = ScriptDirectory(str(schema.VERSIONS.parent))
NEW_TABLE = re.compile(r'CREATE TABLE "?(\w+)"? \(')
NEW_INDEX = re.compile(r'CREATE (UNIQUE )?INDEX \w+ ON "?(\w+)"? ')
NEW_COLUMN = re.compile(r'ALTER TABLE "?(\w+)"? ADD COLUMN (\w+) (.*)')
NEW_LINK = re.compile(r'ALTER TABLE "?(\w+)"? ADD (?:CONSTRAINT \w+ )?FOREIGN KEY\((\w+)\) .*')


def revisions() -> list[Script]:
    return list(SCRIPTS.walk_revisions())[::-1]


def statements(migrate: Callable[[], None]) -> Iterator[str]:
    """What a migration would have PostgreSQL do, each on one line."""
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written}
    )
    with Operations.context(context):
        migrate()
    for one in written.getvalue().split(";\n"):
        if line := " ".join(one.split()):
            yield line


def offences(lines: Iterator[str]) -> list[str]:
    """The statements that the release before could not live with."""
    tables: set[str] = set()
    columns: set[tuple[str, str]] = set()
    found = []
    for line in lines:
        if table := NEW_TABLE.match(line):
            tables.add(table[1])
        elif index := NEW_INDEX.match(line):
            # A rule that it does not know would refuse what it writes.
            if index[1] and index[2] not in tables:
                found.append(line)
        elif column := NEW_COLUMN.fullmatch(line):
            columns.add((column[1], column[2]))
            if "NOT NULL" in column[3] and "DEFAULT" not in column[3] and column[1] not in tables:
                found.append(line)
        elif not ((link := NEW_LINK.fullmatch(line)) and (link[1], link[2]) in columns):
            found.append(line)
    return found


@pytest.mark.parametrize("revision", revisions(), ids=lambda one: one.revision)
def test_a_migration_only_adds(revision: Script) -> None:
    lines = list(statements(revision.module.upgrade))
    assert lines
    assert offences(iter(lines)) == []


def drops() -> None:
    op.drop_column("person", "ref")


def renames() -> None:
    op.alter_column("person", "ref", new_column_name="reference")


def retypes() -> None:
    op.alter_column("person", "ref", type_=sa.Text())


def requires() -> None:
    op.add_column("person", sa.Column("title", sa.Text(), nullable=False))


def tightens() -> None:
    op.alter_column("person", "ref", nullable=False)


def forbids_twice() -> None:
    op.create_index("ix_person_ref", "person", ["ref"], unique=True)


def checks() -> None:
    op.create_check_constraint("ck_person_ref", "person", "length(ref) > 3")


def points() -> None:
    op.create_foreign_key("fk_person_ref", "person", "council", ["ref"], ["code"])


def rewrites() -> None:
    op.execute("update person set ref = 'x'")


@pytest.mark.parametrize(
    "migrate", [drops, renames, retypes, requires, tightens, forbids_twice, checks, points, rewrites]
)
def test_whatever_else_is_noticed(migrate: Callable[[], None]) -> None:
    assert len(offences(statements(migrate))) == 1


def test_what_the_release_before_does_not_need_may_come() -> None:
    def adds() -> None:
        op.add_column("person", sa.Column("title", sa.Text(), nullable=True))
        op.add_column("person", sa.Column("kind", sa.Text(), nullable=False, server_default="plain"))
        op.add_column("person", sa.Column("council_id", sa.Uuid(), sa.ForeignKey("council.id")))
        op.create_index("ix_person_title", "person", ["title"])
        op.create_table("pet", sa.Column("id", sa.Uuid(), primary_key=True), sa.Column("name", sa.Text()))
        op.create_index("ix_pet_name", "pet", ["name"], unique=True)

    assert offences(statements(adds)) == []


def test_versions_are_numbers_in_a_row() -> None:
    """The order of their numbers is the order in which they run: a start compares them (portal/schema.py)."""
    found = revisions()
    assert [one.revision for one in found] == [f"{number:03}" for number in range(1, len(found) + 1)]
    assert [one.down_revision for one in found[1:]] == [one.revision for one in found[:-1]]
    assert schema.newest() == SCRIPTS.get_current_head()
