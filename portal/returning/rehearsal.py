"""Rehearsing a return on a demo: every step answers at once, and what is made is marked REHEARSAL.

The Department's side is played by a key of its own, made for it and lying beside the files of the return: it opens the
test volume, and signs the receipt. Building and verifying run as they would, as commands on the machine.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.returning import opening, packaging, steps
from portal.returning.opening import Direction
from portal.returning.steps import RECEIPT, Said, TakesTheMachine
from portal.returning.words import COMMANDS
from privacy.clock import london_date
from privacy.envelopes import open_stream
from privacy.returns import acts, signing
from privacy.returns.course import Course, CourseRefused, Ended, ReturnKind, Step, Wanted
from privacy.returns.signing import OwnKey
from privacy.scratch import scratch
from privacy.work import unit_of_work

LETTER = "REHEARSAL"
PACKAGE = "package"
ROOT = Path(__file__).resolve().parents[2]
_CODE = re.compile(rb"code in it is (\S+)")

Sessions = Callable[[], DbSession]


class RehearsalFailed(CourseRefused):
    """A command of the rehearsal ended badly; the message is what it said."""


def can(instance: Instance, course: Course) -> bool:
    """Whether the next step of this return can be rehearsed here: no certificate is another's than the one of the
    Department as it is played here."""
    if not (instance.demo and course.of.rehearsal) or course.ended:
        return False
    played = signing.known_check_key(_folder(instance))
    return set(course.fingerprints) <= ({played.fingerprint} if played is not None else set())


def completed(instance: Instance, direction: Direction) -> Direction:
    """A direction as it was entered; on a demo, where it names no certificate, with that of the Department as it is
    played here."""
    if not instance.demo or direction.certificates or direction.wanted is Wanted.DELETE:
        return direction
    return replace(direction, certificates=[_department(instance).certificate.encode()])


def begin(instance: Instance, sessions: Sessions, *, actor: str) -> UUID:
    """Open a rehearsal with its direction. Raises AlreadyOpen."""
    now = instance.clock()
    direction = Direction(
        kind=ReturnKind.FULL,
        wanted=Wanted.BOTH,
        letter=LETTER,
        on=london_date(now),
        wording="A rehearsal: return the data, then delete every copy.",
        certificates=[_department(instance).certificate.encode()],
    )
    with sessions() as db, unit_of_work(db, instance.clock, actor, frozen_too=True) as work:
        folder = instance.settings.instance / "scratch"
        return opening.direct(work, instance.programme, direction, folder=folder, rehearsal=True).id


def next_step(
    instance: Instance, sessions: Sessions, *, return_id: UUID, actor: str, step: Step | None = None
) -> Step:
    """Take the next step, which has to be `step` where one is named; returns it. Raises CourseRefused."""
    with sessions() as db:
        course = acts.read(db, return_id)
        wanted = step or course.next
        if wanted is None:
            raise Ended("Nothing is left to do")
        if wanted is not course.next:
            course.require(wanted)
        if wanted in COMMANDS and not (wanted is Step.DESTROY and not course.answered(wanted)):
            _by_command(instance, course, wanted)
            return wanted
        said = _said(instance, course, wanted)
    with sessions() as db, unit_of_work(db, instance.clock, actor, frozen_too=True) as work:
        steps.take(work, return_id=return_id, step=wanted, said=said, root=instance.settings.instance)
    packaging.taken(instance, wanted)
    return wanted


def _department(instance: Instance) -> OwnKey:
    return signing.check_key(_folder(instance), contract=LETTER)


def _folder(instance: Instance) -> Path:
    return instance.settings.instance / "returns" / "department"


def _by_command(instance: Instance, course: Course, step: Step) -> None:
    """Run what takes the machine. Raises TakesTheMachine for what destroys: nobody does that by the way."""
    folder = steps.folder_of(instance.settings.instance, course)
    match step:
        case Step.BUILD:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            certificate = _department(instance).certificate_in(folder, "department.pem")
            _flask(instance, "build", "--certificate", str(certificate), "--out", str(folder / PACKAGE))
        case Step.VERIFY:
            _flask(instance, "verify", str(folder / PACKAGE))
        case _:
            raise TakesTheMachine(
                f"On the machine: {COMMANDS[step].replace('RECEIPT.p7s', str(folder / RECEIPT))}"
            )


def _flask(instance: Instance, *words: str) -> None:
    environ = dict(os.environ)
    if instance.settings.now is not None:
        environ["PORTAL_NOW"] = instance.clock().isoformat()
    ended = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi:app", "return", *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        said = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RehearsalFailed(f"The command did not work: {said.removeprefix('Error: ')}")


def _said(instance: Instance, course: Course, step: Step) -> Said:
    """What the Department would say."""
    department = _department(instance)
    match step:
        case Step.FINGERPRINT:
            return Said(fingerprint=department.fingerprint, words="A rehearsal: nobody was rung.")
        case Step.TEST_READ_BACK:
            return Said(
                code=_code(instance, course, department), words="A rehearsal: the code was read here."
            )
        case Step.HAND_OVER:
            return Said(how="media", words="A rehearsal: nothing left the machine.")
        case Step.RECEIPT:
            return Said(file=_signed(instance, course, department), words="A rehearsal: signed here.")
        case Step.AUTHORITY:
            return Said(letter=LETTER, words="A rehearsal: the copies here may be deleted.")
    return Said()


def _code(instance: Instance, course: Course, department: OwnKey) -> str:
    path = steps.folder_of(instance.settings.instance, course) / steps.TEST_VOLUME
    found = _CODE.search(b"".join(open_stream(path, department.path)))
    if found is None:
        raise RehearsalFailed("The test volume holds no code")
    return found[1].decode()


def _signed(instance: Instance, course: Course, department: OwnKey) -> bytes:
    with scratch(instance.settings.instance / "scratch") as place:
        said, out = place / "receipt.txt", place / "receipt.p7s"
        said.write_bytes(signing.receipt_lines(course.package or "")[0])
        signing.sign(said, department, out)
        return out.read_bytes()
