"""The mails about notices: a notice with its paper, and word to people here that one has not arrived.

The paper is made when the mail is sent. One that cannot be made never holds up its notice: what it would have said
stands in the mail then, and the page of the notice says that it does not count as served (cl 22.2.3).
"""

from collections.abc import Mapping
from uuid import UUID

import structlog
from sqlalchemy.orm import Session as DbSession

from portal.actors import roles_on
from portal.cases import notice_words, notices
from portal.cases.notices import STUCK
from portal.cases.notices import TEMPLATE as NOTICE
from portal.mailing.contexts import Around, Context, Heard, Letter, Receipt, RoleContext
from portal.mailing.letters import Enclosure
from portal.models import Mail, Person, Role
from privacy import papers
from privacy.cases import notices as kept
from privacy.cases.tables import Notice, Sending
from privacy.clock import london_date
from privacy.papers import PaperFailed
from privacy.work import Work

log = structlog.get_logger("notices")


def notice(db: DbSession, mail: Mail, around: Around) -> Letter | None:
    """A notice to one contact of the Controller; none once what it said was erased."""
    sending = db.get(Sending, mail.about)
    if sending is None or sending.sent_at is not None or sending.notice.body is None:
        return None
    made = sending.notice
    paper = notice_words.paper(made, around.programme, to=sending.to)
    enclosed: tuple[Enclosure, ...] = ()
    try:
        enclosed = (Enclosure(file_name(made), "application/pdf", papers.render(paper)),)
    except PaperFailed as trouble:
        log.error("notice.without_paper", notice=str(made.id), trouble=type(trouble).__name__)
    case = made.case
    return Letter(
        {
            "mark": "EXERCISE. " if case.exercise else "",
            "reference": around.programme.reference,
            "case": case.ref,
            "number": made.number,
            "title": (made.body or {}).get("title", ""),
            "text": None if enclosed else notice_words.plain(paper),
            "dpo": around.programme.contacts["dpo"],
            "phone": around.programme.contacts["phone"],
        },
        enclosures=enclosed,
        reply_to=around.programme.contacts["dpo"],
    )


def file_name(notice: Notice) -> str:
    return f"{notice.case.ref}-notice-{notice.number}.pdf"


def stuck(db: DbSession, mail: Mail, around: Around, *, opens: bool = True) -> Letter | None:
    """Which notice has not arrived, and whom to ring; none once it has. `opens`: the reader may open the notice."""
    found = notices.stuck(db, around.programme, now=around.now, notice_id=mail.about)
    if not found:
        return None
    made = found[0].notice
    return Letter(
        {
            "mark": "EXERCISE. " if made.case.exercise else "",
            "case": made.case.ref,
            "number": made.number,
            "minutes": found[0].minutes,
            "ring": [(one.name, one.phone, one.why) for one in found],
            "link": around.link("notice", made.id) if opens else None,
        }
    )


def _stuck_to_person(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    return stuck(db, mail, around, opens=Role.DPO in roles_on(reader, london_date(around.now)))


class _NoticeHeard:
    """Evidence of a notice, in the same work in which its mail is marked."""

    def went(self, work: Work, mail: Mail, receipt: Receipt) -> None:
        if (sending := _of(work.db, mail.about)) is not None:
            evidence = {
                "what": "Accepted by the mail server"
                if receipt.answer
                else "Put in the outbox of this machine",
                "message_id": receipt.message_id,
                "answer": receipt.answer or "",
                "paper": "" if receipt.enclosed else "Its PDF could not be made",
            }
            kept.delivered(work, sending, at=receipt.at, evidence=evidence, paper=receipt.enclosed)

    def given_up(self, work: Work, mail: Mail, why: str) -> None:
        if (sending := _of(work.db, mail.about)) is not None:
            kept.failed(work, sending, why=why)


def _of(db: DbSession, sending_id: UUID) -> Sending | None:
    return db.get(Sending, sending_id, populate_existing=True)


CONTEXTS: Mapping[str, Context] = {STUCK: _stuck_to_person}
ROLE_CONTEXTS: Mapping[str, RoleContext] = {NOTICE: notice, STUCK: stuck}
HEARD: Mapping[str, Heard] = {NOTICE: _NoticeHeard()}
