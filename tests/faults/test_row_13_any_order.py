"""Row 13: book, move, cancel, delegate, end, erase, restore, in any order, by whoever may: everything still holds.

A Hypothesis machine acts on a small programme by the rules, as pages do, and after each step looks at the rows.
It knows by itself which times clash, who may act for whom and who has answered what, and meets each refusal with its
own reason for it.
"""

import random
from collections import Counter
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    rule,
    run_state_machine_as_test,
)

from portal.booking.delivery import Outcome
from portal.models import Package, Place
from portal.packages import endings
from portal.people import delegations
from portal.results import board
from privacy import erasure
from privacy.clock import london_date
from privacy.rights import Cause
from surveys import responses
from surveys.models import Mode, Wave
from surveys.responses import AlreadySent
from surveys.sittings import Asking
from tests.counts import FULL, count
from tests.crowd import whole_answers
from tests.faults import what_holds
from tests.faults.session_steps import SessionSteps
from tests.faults.small_programme import Copies
from tests.faults.trail_of_changes import Rows, called_for, data_of, rows_of, written

STEPS = 50
RUNS = count(3, 46)
GONE_AT_MOST = 4
AIDES = ("Cloughton", "Dunmallard", "Esthwaite")

# Few times, so that people meet in them: on three days to come, half of them a quarter of an hour apart.
DAYS = st.integers(1, 3)
TIMES = st.sampled_from([(10, 0), (10, 15), (10, 45), (11, 30), (14, 0)])
PLACES = st.sampled_from([Place.REMOTE, Place.IN_PERSON])
ANY = st.integers(0, 11)

# What can be done, how often, and with what. One rule draws from all of it: of several, Hypothesis leaves some out in
# each run, which suits thousands of runs and not forty.
ACTS: list[tuple[str, int, dict[str, st.SearchStrategy[Any]]]] = [
    (
        "book",
        7,
        {
            "which": st.integers(0, 2),
            "by": ANY,
            "days": DAYS,
            "time": TIMES,
            "place": PLACES,
            "again": st.booleans(),
        },
    ),
    ("move", 3, {"which": ANY, "days": DAYS, "time": TIMES, "place": PLACES, "free": st.booleans()}),
    ("cancel", 2, {"which": ANY, "own": st.booleans()}),
    ("schedule", 2, {"days": DAYS, "time": TIMES, "capacity": st.integers(1, 3)}),
    (
        "place",
        6,
        {"which": ANY, "who": ANY, "act": st.sampled_from(["take", "take", "give up", "wait", "leave"])},
    ),
    ("delegate", 3, {"which": st.integers(0, 2), "name": st.integers(0, 2), "over": st.booleans()}),
    ("answer", 3, {"which": ANY, "wave": st.sampled_from([Wave.BASELINE, Wave.POST])}),
    ("count_figures", 1, {}),
    ("record", 2, {"which": ANY, "outcome": st.sampled_from(Outcome)}),
    ("end_package", 1, {"which": ANY}),
    ("erase", 2, {"which": ANY}),
    ("hold", 1, {"which": ANY}),
    ("lift", 1, {"which": ANY}),
    ("back_up", 1, {}),
    ("restore", 1, {"which": ANY, "keys_are_left": st.booleans()}),
    ("time_passes", 2, {"hours": st.sampled_from([1, 3, 24, 72])}),
]
TURNS = [(name, given) for name, often, given in ACTS for _ in range(often)]
random.Random(13).shuffle(TURNS)


class AnyOrder(SessionSteps):
    """One run: up to fifty steps, each followed by a look at the rows."""

    @rule(turn=st.integers(0, len(TURNS) - 1), data=st.data())
    def step(self, turn: int, data: st.DataObject) -> None:
        # The simplest run, which Hypothesis tries first, is a walk through all of it.
        self.taken += 1
        name, given = TURNS[(turn + self.taken) % len(TURNS)]
        getattr(self, name)(**data.draw(st.fixed_dictionaries(given), label=name))

    # ---- assistants

    def delegate(self, which: int, name: int, over: bool) -> None:
        leader = self.cast.leaders[which]
        if leader in self.gone:
            return
        known = self.known.assistants.get(leader)
        if over:
            if known is not None:
                self.act("end assistant", leader, lambda unit: delegations.end(unit, delegation_id=known[0]))
                del self.known.assistants[leader]
            return
        # Whoever comes after somebody who was erased, under the same address, is another person.
        before = sum(self.words[one].startswith(AIDES[name]) for one in self.gone)
        word = f"{AIDES[name]}{'abcdefgh'[before]}"

        def work(unit: Any) -> tuple[UUID, UUID]:
            row = delegations.name(
                unit, leader_id=leader, called=f"Ada {word}", email=f"assistant{name}@council.example"
            )
            return row.id, row.assistant_id

        got = self.act("name assistant", leader, work)
        assert isinstance(got, Exception) == (known is not None)
        if not isinstance(got, Exception):
            self.known.assistants[leader] = got
            self.words[got[1]] = word

    # ---- answers, and what counts

    def answer(self, which: int, wave: Wave) -> None:
        part, (package_id, role) = sorted(self.cast.parts.items())[which % len(self.cast.parts)]
        with self.running.sessions() as db:
            person_id = next(
                one.person_id for one in db.get_one(Package, package_id).participations if one.id == part
            )
        if person_id is None:
            return
        word = self.words[person_id]
        said = {
            code: f"As {word} said" if value == "Something" else value
            for code, value in whole_answers(wave, role).items()
        }
        got = self.act(
            "answer",
            person_id,
            lambda unit: responses.submit_answers(
                unit, Asking(respondent_id=part, wave=wave, role=role), answers=said, mode=Mode.SELF
            ),
        )
        assert isinstance(got, AlreadySent) == ((part, wave.value) in self.known.answers)
        if not isinstance(got, AlreadySent):
            self.known.answers[(part, wave.value)] = said

    def count_figures(self) -> None:
        with self.running.sessions() as db:
            today = london_date(self.running.now)
            document = board.count(db, self.programme, as_of=today)
        self.act("count", "system:worker", lambda unit: board.keep(unit, document))
        with self.running.sessions() as db:
            kept = board.kept(db)
            assert kept is not None
            assert kept.document == board.count(db, self.programme, as_of=today)

    def end_package(self, which: int) -> None:
        packages = [*self.cast.packages.values(), self.cast.group]
        if which < 6:
            # Rarely, for nothing can be booked there afterwards.
            return
        package_id = packages[which % len(packages)]
        got = self.act(
            "end",
            "system:test",
            lambda unit: endings.end(
                unit,
                self.programme,
                package_id=package_id,
                on=london_date(self.running.now),
                reason="It was agreed",
            ),
        )
        if not isinstance(got, Exception):
            self.known.ended.add(package_id)

    # ---- erasing, holding, restoring

    def erase(self, which: int) -> None:
        aides = [aide for _, aide in self.known.assistants.values() if aide not in self.gone]
        mentors = set(self.cast.mentors) if which < 11 else set()
        people = [one for one in (*self.present, *dict.fromkeys(aides)) if one not in mentors]
        if not people or which < 4:
            return
        person_id = people[which % len(people)]
        if person_id in self.known.waits or len(self.gone) >= GONE_AT_MOST:
            return
        self.running.erase(person_id)
        self.did["erase"] += 1
        if person_id in self.known.held:
            self.known.waits.add(person_id)
            self.did["erase: held"] += 1
        else:
            self.forget(person_id)

    def forget(self, person_id: UUID) -> None:
        self.gone.add(person_id)
        for _, known in [("", self.known), *self.backups]:
            known.assistants = {
                leader: (row, aide)
                for leader, (row, aide) in known.assistants.items()
                if person_id not in (leader, aide)
            }
            for one in known.meetings.values():
                one.people.discard(person_id)
            known.held.pop(person_id, None)
            known.waits.discard(person_id)
        mine = self.parts_left()
        for _, known in [("", self.known), *self.backups]:
            known.answers = {key: said for key, said in known.answers.items() if key[0] in mine}

    def parts_left(self) -> set[UUID]:
        with self.running.sessions() as db:
            return {
                part.id
                for package_id in {package for package, _ in self.cast.parts.values()}
                for part in db.get_one(Package, package_id).participations
                if part.person_id is not None
            }

    def hold(self, which: int) -> None:
        person_id = self.present[which % len(self.present)]
        if person_id in self.known.held or len(self.known.held) > 1:
            return
        given: dict[str, Any] = {"person_id": person_id, "cause": Cause.LEGAL, "reason": "A claim"}
        self.known.held[person_id] = self.act(
            "hold", "system:test", lambda unit: erasure.place_hold(unit, **given)
        )

    def lift(self, which: int) -> None:
        if not self.known.held:
            return
        person_id = sorted(self.known.held)[which % len(self.known.held)]
        hold_id = self.known.held.pop(person_id)
        self.act("lift", "system:test", lambda unit: erasure.lift_hold(unit, hold_id=hold_id))
        self.running.finish_erasures()
        if person_id in self.known.waits:
            self.forget(person_id)

    def back_up(self) -> None:
        if len(self.backups) > 2:
            return
        known = deepcopy(self.known)
        self.backups.append((self.running.back_up(), known))
        self.did["back up"] += 1

    def restore(self, which: int, keys_are_left: bool) -> None:
        if not self.backups:
            return
        name, known = self.backups[which % len(self.backups)]
        done = self.running.restore(name, keys_are_left=keys_are_left)
        assert done.tombstones >= len(self.gone)
        self.known, self.replaced = deepcopy(known), True
        self.did["restore"] += 1

    def time_passes(self, hours: int) -> None:
        self.running.clock.pass_time(hours=hours)

    # ---- what holds

    @invariant()
    def everything_holds(self) -> None:
        with self.running.sessions() as db:
            rows = rows_of(db)
            instance, now = self.running.instance, self.running.now
            if self.replaced:
                assert written({"audit_entry": {}}, rows)[self._restored(rows)] == 1
            elif self.refused and data_of(rows) != data_of(self.rows):
                raise AssertionError("a refusal changed something")
            else:
                lines = written(self.rows, rows)
                assert lines == called_for(self.rows, rows)
                what_holds.everybody_is_told(self.rows, rows, lines, gone=self.gone)
            what_holds.the_trail_holds(db, instance, rows)
            what_holds.nobody_is_in_two_places(rows, instance, now=now, gone=self.gone)
            what_holds.no_place_is_given_twice(rows, gone=self.gone)
            what_holds.answers_are_there(db, self.known.answers)
            what_holds.figures_can_be_recomputed(db, instance, now=now)
            what_holds.nothing_stands_in_clear(rows, self.words)
            what_holds.the_erased_are_gone(db, instance, rows, self.gone, self.words)
        self.rows, self.replaced, self.refused = rows, False, False
        self.did["steps"] += 1

    @staticmethod
    def _restored(rows: Rows) -> tuple[str, str]:
        run = max(
            (row for row in rows["backup_run"].values() if row["kind"].value == "restore"),
            key=lambda row: row["began_at"],
        )
        return ("backup.restored", f"backup_run:{run['id']}")


@pytest.fixture(params=["sqlite", "postgresql"] if FULL else ["sqlite"])
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Copies:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    return Copies(tmp_path_factory.mktemp("any-order"), server)


def test_row_13_everything_holds_in_any_order(copies: Copies) -> None:
    did: Counter[str] = Counter()
    machine = type("AnyOrderHere", (AnyOrder,), {"copies": copies, "did": did})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not FULL,
            database=None,
            # A failure is told as it came: making it smaller would take hours of restoring.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(sorted(did.items())))
    assert did["steps"] >= count(140, 2000)
