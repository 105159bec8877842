"""The mail that carries a letter of a case to whoever asked: the letter's text, and the letter as a PDF.

Its address stands sealed in the letter: whoever asks need not have an account.
"""

from collections.abc import Mapping

from sqlalchemy.orm import Session as DbSession

from portal.cases import letters as case_letters
from portal.cases.letters import TEMPLATE
from portal.mailing.contexts import AddressedContext, Around, Heard, Letter, Receipt
from portal.mailing.letters import Enclosure
from portal.models import Mail
from privacy.cases.letters import LetterState
from privacy.cases.tables import CaseFile
from privacy.work import Work


def case_letter(db: DbSession, mail: Mail, around: Around) -> tuple[str, str, Letter] | None:
    """Address, name and letter; none once it was sent another way, or its words are erased."""
    letter = case_letters.load(db, mail.about)
    if letter is None or letter.state is not LetterState.QUEUED or letter.file_id is None:
        return None
    to, content = letter.to or {}, db.get_one(CaseFile, letter.file_id).content
    if not to.get("email") or content is None:
        return None
    context = {
        "mark": "EXERCISE. " if letter.case.exercise else "",
        "title": letter.title or "",
        "case": letter.case.ref,
        "text": _plain(letter.text or ""),
    }
    enclosed = (Enclosure(case_letters.file_name(letter), "application/pdf", content),)
    reply_to = around.programme.contacts["dpo"]
    return (
        str(to["email"]),
        str(to.get("name") or ""),
        Letter(context, enclosures=enclosed, reply_to=reply_to),
    )


def _plain(text: str) -> str:
    return "\n".join(line.removeprefix("# ") for line in text.splitlines())


class _LetterHeard:
    """Evidence of a letter, in the same work in which its mail is marked."""

    def went(self, work: Work, mail: Mail, receipt: Receipt) -> None:
        taken = f"Accepted by the mail server ({receipt.answer})" if receipt.answer else "Put in the outbox"
        case_letters.went(work, mail.about, evidence=f"{taken}, message {receipt.message_id}")

    def given_up(self, work: Work, mail: Mail, why: str) -> None:
        case_letters.given_up(work, mail.about, why=why)


ADDRESSED: Mapping[str, AddressedContext] = {TEMPLATE: case_letter}
HEARD: Mapping[str, Heard] = {TEMPLATE: _LetterHeard()}
