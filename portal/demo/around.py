"""What is known around the demo's councils: who is next to whom, interventions, partners, contacts and reviews."""

from datetime import date, timedelta
from uuid import UUID

from portal.councils import allocations, partners, reviews
from portal.councils import register as councils
from portal.demo.agenda import Act, Agenda, Diary
from portal.demo.cast import Cast, Council
from portal.models import Fact, Ground, PartnerKind, Role, Way
from privacy.work import Work

PARTNERS = (
    (PartnerKind.REGIONAL_LEAD, "Odette Farrant", "Regional improvement alliance"),
    (PartnerKind.COMMISSIONER, "Ivor Stannage", "Appointed by the Department"),
    (PartnerKind.SEND_ADVISER, "Bridget Oyelowo", "NHS England, SEND team"),
    (PartnerKind.SECTOR_PARTNER, "Gareth Penhale", "Sector-led improvement partner"),
)
CONTACTS = (
    (Way.MEETING, "Agreed how mentoring fits with the improvement board, and who tells whom about dates."),
    (Way.CALL, "The board meets monthly until summer. No session in the week before it."),
    (Way.MAIL, "Sent the list of coming workshops, without names."),
)


def surround(agenda: Agenda, diary: Diary, cast: Cast, *, opened_on: date) -> None:
    """Neighbours and interventions from the first day on; partners, contacts and reviews along the way."""
    team = next(one for one in cast.staff if one.role is Role.TEAM)
    agenda.at(
        diary.moment(opened_on) + timedelta(days=1), lambda work: _next_to_each_other(work, cast), by=team
    )
    judged = [council for council in cast.councils if council.ground is Ground.INADEQUATE][:4]
    for number, council in enumerate(judged):
        begun = diary.after(opened_on + timedelta(days=30 + 10 * number))
        agenda.at(diary.moment(begun), _intervention(council, begun), by=team)
        for way, day in enumerate((diary.ago(150 + number), diary.ago(60 + number), diary.ago(9 + number))):
            moment = diary.moment(day)
            if way == 0:
                agenda.at(moment, _partner(council, number, day), by=team)
            agenda.at(moment + timedelta(minutes=10), _contact(council, way, day), by=team)
        if number:
            held = diary.ago(40 * number)
            agenda.at(diary.moment(held), _review(council, held), by=team)


def _next_to_each_other(work: Work, cast: Cast) -> None:
    """Councils of one region, each next to the one before it."""
    before: dict[str, UUID] = {}
    for council in cast.councils:
        last = before.get(council.area.region)
        if last is not None:
            known = councils.neighbours(work.db, _id(council))
            councils.set_neighbours(work, council_id=_id(council), neighbour_ids=known | {last})
        before[council.area.region] = _id(council)


def _intervention(council: Council, begun: date) -> Act:
    def act(work: Work) -> None:
        allocations.record(
            work,
            council_id=_id(council),
            fact=Fact.INTERVENTION,
            value="improvement_notice",
            from_on=begun,
            to_on=None,
            evidence="Notice of the Department, published",
        )

    return act


def _partner(council: Council, number: int, day: date) -> Act:
    kind, name, reached = PARTNERS[number % len(PARTNERS)]

    def act(work: Work) -> None:
        partners.add(work, kind=kind, name=name, reached=reached, from_on=day, council_id=_id(council))

    return act


def _contact(council: Council, way: int, day: date) -> Act:
    how, about = CONTACTS[way]

    def act(work: Work) -> None:
        partner = partners.of_council(work.db, _id(council))[0]
        partners.note(work, partner_id=partner.id, on=day, way=how, about=about)

    return act


def _review(council: Council, held: date) -> Act:
    notes = "Progress on plan. The Department asked for the workshop on scrutiny to come first."

    def act(work: Work) -> None:
        reviews.record(work, council_id=_id(council), held_on=held, notes=notes)

    return act


def _id(council: Council) -> UUID:
    assert council.id is not None
    return council.id
