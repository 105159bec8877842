"""The demo's desk: a few cases at different stages, so that something is due, waits, and was closed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from portal.cases import acts as casework
from portal.cases.acts import Arrived, Happened
from portal.demo.agenda import Act, Agenda, Diary
from portal.demo.cast import Cast, Somebody
from portal.demo.notices import arrive
from portal.models import PARTICIPANT, Role
from portal.programme import Programme
from privacy.cases.tables import CaseKind, Channel, Event
from privacy.records import new_id
from privacy.work import Work

# Days ago, kind, channel, who asks (empty: somebody of the cast), what, and what has happened since.
Step = tuple[int, Event, Mapping[str, str]]
Story = tuple[int, CaseKind, Channel, str, str, tuple[Step, ...]]
STORIES: tuple[Story, ...] = (
    (
        75,
        CaseKind.INCIDENT,
        Channel.PHONE,
        "A mentor",
        "A printed list of two names was left on a train and handed in the same day.",
        (
            (75, Event.CONTAINED, {"how": "The lost property office kept it sealed. We fetched it."}),
            (
                74,
                Event.ASSESSED,
                {"risk": "Low: it was read by nobody.", "data": "Two names and a council"},
            ),
            (73, Event.INVESTIGATED, {"found": "The list was printed for a meeting away from the office."}),
            (72, Event.OUTCOME_TOLD, {"evidence": "Notice 2, by e-mail"}),
            (71, Event.LESSONS, {"text": "Lists stay in the portal. Nobody prints them."}),
            (70, Event.CLOSED, {"outcome": "No harm came of it", "evidence": "Report of that week"}),
        ),
    ),
    (
        20,
        CaseKind.ACCESS,
        Channel.EMAIL,
        "",
        "I would like a copy of everything that you hold about me.",
        (
            (19, Event.IDENTITY_ASKED, {"reason": "The address is not the one of the account"}),
            (17, Event.IDENTITY_RECEIVED, {"what": "They answered from the address of the account"}),
        ),
    ),
    (
        12,
        CaseKind.RECTIFICATION,
        Channel.POST,
        "",
        "My name is spelled wrongly in your letters.",
        (),
    ),
    (
        6,
        CaseKind.FOI,
        Channel.EMAIL,
        "A reporter",
        "How many councils has the programme supported, and at what cost?",
        ((1, Event.DEPARTMENT_ASKED, {"what": "Numbers of packages by year"}),),
    ),
    (0, CaseKind.COMPLAINT, Channel.PHONE, "A former councillor", "I still get mail from you.", ()),
)


def run_desk(agenda: Agenda, diary: Diary, programme: Programme, cast: Cast) -> None:
    """Each case on its day: taken in, its notice arrives a minute later, then what happened since."""
    officer = next(one for one in cast.staff if one.role is Role.DPO)
    leaders = [one for one in cast.people if one.role in PARTICIPANT]
    for number, (days, kind, channel, who, asked, steps) in enumerate(STORIES):
        case_id = new_id()
        received_at = min(diary.moment(diary.ago(days)), agenda.now - timedelta(minutes=20))
        about = None if who else leaders[number]
        taken_in = _taking_in(programme, case_id, kind, channel, received_at, asked, who, about, officer)
        agenda.at(received_at + timedelta(minutes=3), taken_in, by=officer)
        agenda.at(received_at + timedelta(minutes=4), arrive)
        at = received_at
        for step in steps:
            # Two steps may fall on one working day: they come in their order all the same.
            at = max(diary.moment(diary.ago(step[0])), at + timedelta(minutes=10))
            agenda.at(at, _happening(case_id, step), by=officer)


def _taking_in(
    programme: Programme,
    case_id: UUID,
    kind: CaseKind,
    channel: Channel,
    received_at: datetime,
    asked: str,
    who: str,
    about: Somebody | None,
    officer: Somebody,
) -> Act:
    def act(work: Work) -> None:
        arrived = Arrived(
            case_id=case_id,
            kind=kind,
            channel=channel,
            received_at=received_at,
            asked=asked,
            contact={"name": who} if about is None else {"name": about.name, "email": about.email},
            about="" if about is None else about.email,
            owner_id=officer.known,
        )
        casework.take_in(work, programme, arrived)

    return act


def _happening(case_id: UUID, step: Step) -> Act:
    _, event, body = step

    def act(work: Work) -> None:
        what = Happened(kind=event, body=body)
        casework.write_down(work, case_id=case_id, what=what)

    return act
