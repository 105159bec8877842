"""Each step of a return as somebody takes it, on its page or by `flask return step`: what it needs, and its evidence.

Building, verifying and destroying take the machine, and write their own events (privacy/returns/).
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from portal.returning import opening, words
from privacy.certificates import read_certificates
from privacy.clock import london_date, start_of_day
from privacy.envelopes import seal_stream
from privacy.errors import HolderErased
from privacy.references import new_reference
from privacy.returns import acts
from privacy.returns.course import Course, CourseRefused, ScopeKind, Step, StepsMissing
from privacy.returns.signing import SignatureWrong, check_receipt
from privacy.returns.tables import Act, DataReturnEvent
from privacy.scratch import scratch
from privacy.work import Work

TEST_VOLUME, RECEIPT = "test-volume.cms", "receipt.p7s"
_HEX = re.compile(r"[^0-9a-f]")
FINGERPRINT_DIGITS = 64


class SaidWrong(CourseRefused):
    """What was said does not fit, or is missing; `field` names it."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class TakesTheMachine(CourseRefused):
    """The step is done by a command on the machine; the message is that command."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What somebody says of a step; each step takes some of it. `file` is the receipt, `certificate` the PEM of one
    that signed it, where that is none of the recipients'."""

    on: date | None = None
    letter: str = ""
    words: str = ""
    fingerprint: str = ""
    code: str = ""
    how: str = ""
    file: bytes = b""
    certificate: bytes = b""
    event_id: UUID | None = None


def folder_of(root: Path, course: Course) -> Path:
    """Where the files of a return lie; `root` is the folder of the instance."""
    return root / "returns" / course.of.ref


def take(
    work: Work, *, return_id: UUID, step: Step, said: Said, root: Path, by: str | None = None
) -> DataReturnEvent:
    """Take a step. `by` answers for it, where that is not who acts. Raises CourseRefused of one kind or another."""
    course = acts.read(work.db, return_id, lock=True)
    course.require(step, _act(step), by=by or work.actor)
    match step:
        case Step.FINGERPRINT:
            evidence = _fingerprint(course, said)
        case Step.TEST_VOLUME:
            evidence = _test_volume(work, course, root)
        case Step.TEST_READ_BACK:
            evidence = _read_back(course, said)
        case Step.FREEZE:
            evidence = _freeze(work, course)
        case Step.HAND_OVER:
            evidence = _hand_over(course, said)
        case Step.RECEIPT:
            evidence = _receipt(course, said, root)
        case Step.AUTHORITY:
            evidence = _authority(work, course, said)
        case Step.DESTROY:
            evidence = _Evidence()
        case _:
            raise TakesTheMachine(words.COMMANDS.get(step, words.STEPS[step].before))
    return acts.happen(
        work,
        return_id=return_id,
        step=step,
        act=_act(step),
        at=_moment(course, said, work.now),
        by=by,
        letter=evidence.letter,
        digests=evidence.digests,
        numbers=evidence.numbers,
        body=evidence.body,
        event_id=said.event_id,
    )


def _act(step: Step) -> Act:
    return Act.CONFIRMED if step in (Step.FINGERPRINT, Step.AUTHORITY, Step.DESTROY) else Act.DONE


@dataclass(frozen=True)
class _Evidence:
    """What an event of a step holds."""

    letter: str | None = None
    digests: Sequence[str] = ()
    numbers: dict[str, int] | None = None
    body: dict[str, str] | None = None


def _moment(course: Course, said: Said, now: datetime) -> datetime:
    """When it happened: now, or on a day that is named, which is not before the direction. Raises SaidWrong."""
    if said.on is None or said.on == london_date(now):
        return now
    direction = course.event(Step.DIRECTION)
    if direction is not None and said.on < london_date(direction.at):
        raise SaidWrong("That is earlier than the direction. Enter when it happened", field="on")
    return start_of_day(said.on)


def _needed(text: str, message: str, *, field: str) -> str:
    if not text.strip():
        raise SaidWrong(message, field=field)
    return text


def digits_of(text: str) -> str:
    """A fingerprint as it is stored, however it is written: with colons, spaces, in capitals, with its name before."""
    return _HEX.sub("", text.casefold().rpartition("=")[2])


def _fingerprint(course: Course, said: Said) -> _Evidence:
    typed = [digits_of(line) for line in said.fingerprint.splitlines() if line.strip()]
    if not typed or any(len(one) != FINGERPRINT_DIGITS for one in typed):
        raise SaidWrong(
            f"A SHA-256 fingerprint has {FINGERPRINT_DIGITS} digits, 0 to 9 and a to f. One on each line",
            field="fingerprint",
        )
    if sorted(set(typed)) != sorted(course.fingerprints):
        raise SaidWrong(
            "This is not the certificate that came with the direction. If you typed what you heard, do not go on: "
            "withdraw this return, and ask the Department for its certificate again",
            field="fingerprint",
        )
    how = _needed(said.words, "Say whom you rang, and on which number", field="words")
    return _Evidence(digests=course.fingerprints, body={"words": how})


def certificates(course: Course) -> list[bytes]:
    """The certificates that the direction names, as PEM; none once their key is gone."""
    direction = course.event(Step.DIRECTION)
    try:
        body = (direction.body or {}) if direction is not None else {}
    except HolderErased:
        body = {}
    return [str(pem).encode() for pem in body.get("certificates", [])]


def _test_volume(work: Work, course: Course, root: Path) -> _Evidence:
    code = new_reference()
    text = f"Test volume of return {course.of.ref}\n\nThe code in it is {code}\n\nTell it to whoever sent this.\n"
    folder = folder_of(root, course)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with opening.as_files(certificates(course), root / "scratch") as paths:
        sealed = seal_stream(
            iter([text.encode()]), folder / TEST_VOLUME, read_certificates(paths, now=work.now)
        )
    return _Evidence(
        digests=[sealed.sealed_sha256], numbers={"bytes": sealed.sealed_bytes}, body={"code": code}
    )


def _read_back(course: Course, said: Said) -> _Evidence:
    sent = course.event(Step.TEST_VOLUME)
    if sent is None:
        raise StepsMissing(Step.TEST_READ_BACK, [Step.TEST_VOLUME])
    code = str((sent.body or {})["code"])
    if not secrets.compare_digest(_plain(said.code).encode(), _plain(code).encode()):
        raise SaidWrong("This is not the code in the test volume that was made last", field="code")
    who = _needed(said.words, "Say who told you the code", field="words")
    return _Evidence(digests=sent.digests or (), body={"words": who})


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def _freeze(work: Work, course: Course) -> _Evidence:
    if course.scope.kind is ScopeKind.ALL:
        return _Evidence()
    people = opening.people_in(work.db, course.scope)
    course.of.people = [str(one) for one in people]
    return _Evidence(numbers={"people": len(people)})


def _hand_over(course: Course, said: Said) -> _Evidence:
    if said.how not in words.HOW:
        raise SaidWrong("Say how it was handed over", field="how")
    who = _needed(said.words, "Say to whom it went, and how you know that it arrived", field="words")
    return _Evidence(digests=[course.package or ""], body={"how": said.how, "words": who})


def _receipt(course: Course, said: Said, root: Path) -> _Evidence:
    if not said.file:
        raise SaidWrong("Choose the file with the signature", field="file")
    digest = course.package or ""
    known = [*certificates(course), *([said.certificate] if said.certificate else [])]
    if not _is_signed(said.file, digest, known, root / "scratch"):
        raise SaidWrong(
            "This is not the signature of the Department's certificate over this package. Ask for it again",
            field="file",
        )
    if said.certificate:
        _needed(said.words, "Say in which letter the Department named this certificate", field="words")
    folder = folder_of(root, course)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Where the command that destroys finds it again.
    (folder / RECEIPT).write_bytes(said.file)
    body = {
        "signature": base64.b64encode(said.file).decode(),
        "certificate": said.certificate.decode(errors="replace"),
        "words": said.words,
    }
    return _Evidence(digests=[digest, hashlib.sha256(said.file).hexdigest()], body=body)


def _is_signed(signature: bytes, digest: str, known: Sequence[bytes], folder: Path) -> bool:
    """Whether the key of one of the certificates signed the digest of the package."""
    with scratch(folder) as place:
        signed, by = place / "receipt.p7s", place / "certificate.pem"
        signed.write_bytes(signature)
        for certificate in known:
            by.write_bytes(certificate)
            with suppress(SignatureWrong):
                check_receipt(signed, by, digest=digest, folder=folder)
                return True
    return False


def _authority(work: Work, course: Course, said: Said) -> _Evidence:
    first = next(iter(course.of_step(Step.AUTHORITY, Act.CONFIRMED)), None)
    letter = _needed(said.letter, "Enter the reference of the letter", field="letter")
    if first is not None:
        if letter.casefold() != (first.letter or "").casefold():
            raise SaidWrong(f"Your colleague entered another letter: {first.letter}", field="letter")
        return _Evidence(letter=first.letter, body={"words": said.words})
    opening.require_no_name(work.db, letter)
    text = _needed(said.words, "Enter what the letter says", field="words")
    return _Evidence(letter=letter, body={"words": text})
