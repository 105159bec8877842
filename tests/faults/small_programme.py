"""A small programme on databases of its own, that people act on by the rules in any order, and that is restored."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Engine, make_url, select
from sqlalchemy.orm import Session as DbSession

from portal import instance as instances
from portal.actors import Actor, leaders_of, roles_of
from portal.desk import backups, housekeeping
from portal.desk.backups import Order
from portal.instance import Instance, open_instance
from portal.models import Level, Package, Participation, Person, Strand
from portal.settings import Settings
from privacy import erasure, registers
from privacy.backup_restore import Restored
from privacy.certificates import read_private_key
from privacy.clock import london_date
from privacy.engines import open_engine
from privacy.records import Record, new_id
from privacy.registers import Register
from privacy.work import Work, unit_of_work
from surveys import versions
from tests.conftest import START, SetClock
from tests.factories import Factory
from tests.postgres import fresh_database, postgres_program
from tests.readers import Reader, make_reader

LETTER = "DfE 2023/9"
WORDS = (
    *("Quillfeather", "Ravenscroft", "Thistlewood", "Underhay", "Vickershaw", "Wetherden"),
    *("Yarborough", "Zouchmoor", "Applegarth", "Birkenshaw"),
)


@dataclass
class Cast:
    """Who is in it, by id. `words` are what of somebody must not be found any more once they are erased."""

    leaders: list[UUID] = field(default_factory=list)
    members: list[UUID] = field(default_factory=list)
    mentors: list[UUID] = field(default_factory=list)
    packages: dict[UUID, UUID] = field(default_factory=dict)  # a leader's own
    mentor_of: dict[UUID, UUID] = field(default_factory=dict)
    group: UUID = field(default_factory=new_id)
    parts: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)
    words: dict[UUID, str] = field(default_factory=dict)

    @property
    def people(self) -> list[UUID]:
        return [*self.leaders, *self.members, *self.mentors]


class Copies:
    """One filled instance, and as many copies of it as are wanted; `server` for PostgreSQL, None for SQLite."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self.folder, self.server = folder, server
        self.keys = folder / "keys"
        self.reader: Reader = make_reader(folder)
        self.cast = Cast()
        self._number = 0
        self._first = self.settings("first")
        self._fill()

    def settings(self, name: str, *, keystore: str | None = None) -> Settings:
        """Of an instance that is not there yet."""
        environ = {
            "PORTAL_INSTANCE": str(self.folder / name),
            "PORTAL_KEYS": str(self.keys),
            "PUBLIC_URL": "http://localhost",
            "POSTGRES_BIN": str(postgres_program("psql").parent),
        }
        if self.server is not None:
            environ["DATABASE_URL"] = fresh_database(self.server, name=f"any_{name}")
            environ["KEYSTORE_URL"] = keystore or fresh_database(self.server, name=f"any_{name}_keys")
        return Settings.from_environ(environ, root=self.folder)

    def next_name(self) -> str:
        self._number += 1
        return f"copy{self._number}"

    def copy(self) -> Settings:
        """A copy of the filled instance."""
        made = self.settings(self.next_name())
        if self.server is None:
            shutil.copytree(self._first.instance, made.instance)
            return made
        made.instance.mkdir()
        for source, to in (
            (self._first.database_url, made.database_url),
            (self._first.keystore_url, made.keystore_url),
        ):
            self._clone(str(make_url(source).database), str(make_url(to).database))
        return made

    def _clone(self, source: str, to: str) -> None:
        host = make_url(self.server or "").query["host"]
        with psycopg.connect(f"host={host} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(to)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(to), sql.Identifier(source))
            )

    def discard(self, settings: Settings) -> None:
        """What is not used any more goes, so that two thousand steps fit on a small disk."""
        shutil.rmtree(settings.instance, ignore_errors=True)
        if self.server is not None:
            host = make_url(self.server).query["host"]
            with psycopg.connect(f"host={host} user=postgres dbname=postgres", autocommit=True) as connection:
                for url in (settings.database_url, settings.keystore_url):
                    name = sql.Identifier(str(make_url(url).database))
                    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _fill(self) -> None:
        clock = SetClock()
        engine = open_engine_in(self._first)
        instances.make(
            self._first,
            engine=engine,
            clock=clock,
            demo=False,
            migrate=lambda: Record.metadata.create_all(engine),
        )
        opened = open_instance(self._first, engine=engine, clock=clock)
        with DbSession(engine, info={"vault": opened.vault}) as db:
            versions.publish_shipped(db, clock)
            self._people(Factory(db, clock, opened.programme), db)
        engine.dispose()
        opened.vault.engine.dispose()

    def _people(self, make: Factory, db: DbSession) -> None:
        cast, words = self.cast, iter(WORDS)
        council = make.council("Northshire")

        def known(person: Person, word: str) -> UUID:
            cast.words[person.id] = word
            return person.id

        for word in (next(words), next(words)):
            cast.mentors.append(known(make.mentor(f"Mo {word}"), word))
        for number in range(3):
            word = next(words)
            leader = make.person(f"Lee {word}", email=f"{word}@council.example", council=council)
            cast.leaders.append(known(leader, word))
            mentor = db.get_one(Person, cast.mentors[0 if number < 2 else 1])
            package = make.package(leader, mentor=mentor, council=council)
            cast.packages[leader.id], cast.mentor_of[package.id] = package.id, mentor.id
        # The first leader is in the group too: two kinds of sessions want the same time of one person.
        members = [db.get_one(Person, cast.leaders[0])]
        for _ in range(3):
            word = next(words)
            member = make.person(f"May {word}", email=f"{word}@council.example", council=council)
            cast.members.append(known(member, word))
            members.append(member)
        mentor = db.get_one(Person, cast.mentors[0])
        group = make.package(*members, mentor=mentor, strand=Strand.GROUP, council=council)
        cast.group, cast.mentor_of[group.id] = group.id, mentor.id
        with unit_of_work(db, make.clock, "system:test") as work:
            registers.enter(
                work,
                register=Register.INSTRUCTION,
                letter=LETTER,
                from_on=date(2023, 1, 1),
                body="Erase whoever asks.",
            )
            for package_id in (group.id, cast.packages[cast.leaders[0]]):
                work.db.get_one(Package, package_id).baseline_waived_at = work.now
        for part in db.scalars(select(Participation)):
            cast.parts[part.id] = (part.package_id, part.role.value)


def open_engine_in(settings: Settings) -> Engine:
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_engine(settings.database_url)


class Running:
    """A copy of the small programme that is open, its clock, and what was done to it by its operators."""

    def __init__(self, copies: Copies) -> None:
        self.copies = copies
        self.clock = SetClock()
        self.clock.now = START
        self.folder = copies.folder / f"backups-{copies.next_name()}"
        self.settings = copies.copy()
        self._open()

    def _open(self) -> None:
        self.engine = open_engine(self.settings.database_url)
        self.instance: Instance = open_instance(self.settings, engine=self.engine, clock=self.clock)
        self.sessions = partial(DbSession, self.engine, info={"vault": self.instance.vault})

    def close(self) -> None:
        self.engine.dispose()
        self.instance.vault.engine.dispose()

    @property
    def now(self) -> datetime:
        return self.clock.now

    @contextmanager
    def work(self, actor: str) -> Iterator[Work]:
        with self.sessions() as db, unit_of_work(db, self.clock, actor) as unit:
            yield unit

    def actor(self, db: DbSession, person_id: UUID) -> Actor:
        """Somebody who has signed in by the code that is mailed."""
        person, today = db.get_one(Person, person_id), london_date(self.now)
        return Actor(
            person_id,
            person.name or "",
            roles_of(person, today),
            Level.MAIL,
            new_id(),
            today,
            leaders=leaders_of(person, today),
        )

    def erase(self, person_id: UUID) -> None:
        with self.work("system:test") as unit:
            erasure.begin(unit, person_id=person_id, letter=LETTER)
        self.finish_erasures()

    def finish_erasures(self) -> None:
        erasure.finish(housekeeping.places(self.instance, self.sessions))

    def back_up(self) -> str:
        """Returns the name of the backup."""
        made = backups.create(
            self.instance, self.sessions, Order(self.folder, [self.copies.reader.certificate])
        )
        return made.data.name

    def restore(self, name: str, *, keys_are_left: bool) -> Restored:
        """The database is lost, and the key store too or not; what was backed up is restored, and used from now on."""
        before = self.settings
        self.close()
        keystore = before.keystore_url if keys_are_left else None
        self.settings = self.copies.settings(self.copies.next_name(), keystore=keystore)
        self.settings.instance.mkdir(mode=0o700)
        if keys_are_left and self.copies.server is None:
            shutil.copy(before.instance / "keystore.sqlite", self.settings.instance)
        key = read_private_key(self.copies.reader.key)
        done = backups.restore(self.settings, self.folder, key, clock=self.clock, schema=None, name=name)
        self._open()
        return done

    def end(self) -> None:
        self.close()
        self.copies.discard(self.settings)
        shutil.rmtree(self.folder, ignore_errors=True)
