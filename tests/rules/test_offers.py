"""Times offered to one leader: made, chosen once, withdrawn."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import offers
from portal.booking.diary import TimeTaken
from portal.booking.offers import OfferChosen, OfferClashes, OfferGone, OfferPassed, TooFewOrMany
from portal.booking.standing import BaselineMissing
from portal.mailing import post
from portal.mailing.senders import ServerAway
from portal.models import Mail, MailState, Offer, OfferState, Package, Place, Session
from portal.packages import acts as packages
from portal.programme import OutsideContract, Programme
from privacy.work import unit_of_work
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.factories import Factory

# Evenings, outside the factory's hours.
TIMES = [datetime(2023, 3, day, 19, 15, tzinfo=UTC) for day in (2, 3, 6)]


class World:
    """One leader with one mentor, and the rules called as a view would."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> None:
        self.db, self.clock, self.programme = db, clock, programme
        mentor, leader = make.mentor(), make.person()
        self.mentor, self.leader = mentor.id, leader.id
        self.package = make.package(leader, mentor=mentor, starts_on=date(2023, 2, 1)).id
        self.waive(True)

    def waive(self, waived: bool) -> None:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            package = work.db.get_one(Package, self.package)
            package.baseline_waived_at = self.clock() if waived else None

    def offer(self, starts: list[datetime] = TIMES) -> list[UUID]:
        """The ids of the offers in order of time."""
        with unit_of_work(self.db, self.clock, "person:test") as work:
            batch = offers.offer(
                work,
                self.programme,
                package_id=self.package,
                mentor_id=self.mentor,
                starts=starts,
                place=Place.IN_PERSON,
                where="Library, first floor",
            )
        return list(
            self.db.scalars(select(Offer.id).where(Offer.batch_id == batch).order_by(Offer.starts_at))
        )

    def choose(self, offer_id: UUID, session_id: UUID | None = None) -> Session:
        with unit_of_work(self.db, self.clock, "person:test") as work:
            return offers.choose(work, self.programme, offer_id=offer_id, session_id=session_id or uuid4())

    def take_back(self, offer_id: UUID) -> None:
        with unit_of_work(self.db, self.clock, "person:test") as work:
            offers.take_back(work, offer_id=offer_id)

    def mails(self) -> dict[str, MailState]:
        """How the newest mail of each kind stands."""
        self.db.rollback()
        rows = self.db.execute(select(Mail.template, Mail.state).order_by(Mail.queued_at, Mail.id))
        return {row.template: row.state for row in rows}

    def states(self) -> list[OfferState]:
        self.db.rollback()
        return list(self.db.scalars(select(Offer.state).order_by(Offer.made_at, Offer.starts_at)))


@pytest.fixture
def world(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(db, make, clock, programme)


def test_choosing_books_the_time_and_withdraws_the_others(world: World) -> None:
    offered = world.offer()
    booked = world.choose(offered[1])
    assert (booked.starts_at, booked.place, booked.where) == (
        TIMES[1],
        Place.IN_PERSON,
        "Library, first floor",
    )
    assert world.states() == [OfferState.WITHDRAWN, OfferState.TAKEN, OfferState.WITHDRAWN]
    with pytest.raises(OfferGone):
        world.choose(offered[0])


def test_the_same_choice_twice_gives_the_first_result(world: World) -> None:
    offered, form = world.offer(), uuid4()
    first = world.choose(offered[0], form).id
    assert world.choose(offered[0], form).id == first
    assert world.db.scalars(select(Session.id)).all() == [first]


def test_an_old_form_again_leaves_newer_offers_open(world: World) -> None:
    offered, form = world.offer(), uuid4()
    first = world.choose(offered[0], form).id
    newer = world.offer([time + timedelta(days=7) for time in TIMES])
    assert world.choose(offered[0], form).id == first
    world.db.rollback()
    assert {world.db.get_one(Offer, one).state for one in newer} == {OfferState.OPEN}
    mails = world.db.scalars(select(Mail.state).where(Mail.template == "offers")).all()
    assert sorted(mails) == [MailState.DROPPED, MailState.WAITING]
    assert world.choose(newer[0]).id != first


def test_ending_support_takes_offers_and_their_mail_back(world: World) -> None:
    world.offer()
    with unit_of_work(world.db, world.clock, "person:test") as work:
        packages.end(
            work, world.programme, package_id=world.package, on=date(2023, 3, 1), reason="Lost the seat"
        )
    assert set(world.states()) == {OfferState.WITHDRAWN}
    assert world.db.scalars(select(Mail.state).where(Mail.template == "offers")).one() is MailState.DROPPED


def test_one_mail_goes_and_is_called_off_once_answered(world: World) -> None:
    offered = world.offer()
    mail = world.db.scalars(select(Mail).where(Mail.template == "offers")).one()
    assert (mail.person_id, mail.state) == (world.leader, MailState.WAITING)
    world.choose(offered[0])
    world.db.refresh(mail)
    assert mail.state is MailState.DROPPED


def test_newer_offers_replace_older_ones(world: World) -> None:
    old = world.offer()
    new = world.offer([time + timedelta(days=7) for time in TIMES])
    with pytest.raises(OfferGone):
        world.choose(old[0])
    assert world.choose(new[0])
    mails = world.db.scalars(select(Mail.state).where(Mail.template == "offers")).all()
    assert set(mails) == {MailState.DROPPED}


def test_times_are_taken_back_and_whoever_had_the_mail_is_told(world: World) -> None:
    offered = world.offer()
    world.take_back(offered[1])
    assert set(world.states()) == {OfferState.WITHDRAWN}
    assert world.mails() == {"offers": MailState.DROPPED}, "who was not told of them hears nothing"
    with pytest.raises(OfferGone):
        world.choose(offered[0])
    again = world.offer([time + timedelta(days=7) for time in TIMES])
    with unit_of_work(world.db, world.clock, "system:test") as work:
        work.db.execute(update(Mail).where(Mail.state == MailState.WAITING).values(state=MailState.SENT))
    world.take_back(again[0])
    first = world.db.get_one(Offer, again[0]).taken_back_at
    world.clock.pass_time(minutes=1)
    world.take_back(again[2])
    world.db.rollback()
    assert world.mails()["offers_back"] is MailState.WAITING
    assert {world.db.get_one(Offer, one).taken_back_at for one in again} == {first}


class TakesBack(MailBag):
    """A mail server to which times are taken back while it takes the mail about them."""

    def __init__(self, take_back: Callable[[], None]) -> None:
        super().__init__()
        self.take_back = take_back

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        if not self.messages:
            self.take_back()
        super().send(message, at=at)


def test_whoever_had_the_mail_while_times_were_taken_back_is_told(world: World, stack: Stack) -> None:
    offered = world.offer()

    def sessions() -> DbSession:
        return DbSession(stack.engine, info={"vault": stack.instance.vault})

    bag = TakesBack(lambda: world.take_back(offered[0]))
    while post.deliver(stack.instance, sessions, bag):
        pass
    assert len(bag.messages) == 1, "what came of the first is not known yet"
    world.clock.pass_time(minutes=16)
    while post.deliver(stack.instance, sessions, bag):
        pass
    assert world.mails() == {"offers": MailState.SENT, "offers_back": MailState.SENT}
    assert len(bag.messages) == 2


def test_who_did_not_get_the_mail_after_all_is_told_nothing(world: World, stack: Stack) -> None:
    offered = world.offer()

    def sessions() -> DbSession:
        return DbSession(stack.engine, info={"vault": stack.instance.vault})

    def fails() -> None:
        world.take_back(offered[0])
        raise ServerAway(TimeoutError())

    bag = TakesBack(fails)
    post.deliver(stack.instance, sessions, bag)
    assert world.mails() == {"offers": MailState.DROPPED, "offers_back": MailState.WAITING}
    world.clock.pass_time(minutes=16)
    while post.deliver(stack.instance, sessions, bag):
        pass
    assert world.mails() == {"offers": MailState.DROPPED, "offers_back": MailState.DROPPED}
    assert bag.messages == []


def test_what_was_chosen_is_not_taken_back(world: World) -> None:
    offered = world.offer()
    world.choose(offered[0])
    with pytest.raises(OfferChosen):
        world.take_back(offered[1])
    world.db.rollback()
    assert {world.db.get_one(Offer, one).taken_back_at for one in offered} == {None}


def test_a_time_booked_meanwhile_is_gone(world: World) -> None:
    offered = world.offer()
    with unit_of_work(world.db, world.clock, "person:test") as work:
        bookings.book(
            work,
            world.programme,
            package_id=world.package,
            session_id=uuid4(),
            mentor_id=world.mentor,
            starts_at=TIMES[0] + timedelta(minutes=30),
            place=Place.REMOTE,
            free_time=True,
        )
    with pytest.raises(TimeTaken):
        world.choose(offered[0])
    assert world.states() == [OfferState.OPEN] * 3
    with pytest.raises(OfferClashes) as clash:
        world.offer()
    assert clash.value.starts_at == TIMES[0]


@pytest.mark.parametrize(
    "starts", [TIMES[:2], [TIMES[0]] * 3, [TIMES[0] + timedelta(hours=n) for n in range(6)]]
)
def test_three_to_five_different_times(world: World, starts: list[datetime]) -> None:
    with pytest.raises(TooFewOrMany):
        world.offer(starts)


def test_times_lie_ahead_and_inside_the_contract(world: World) -> None:
    with pytest.raises(OfferPassed):
        world.offer([*TIMES[:2], datetime(2023, 2, 28, 10, 0, tzinfo=UTC)])
    with pytest.raises(OutsideContract):
        world.offer([*TIMES[:2], datetime(2024, 4, 2, 10, 0, tzinfo=UTC)])


def test_no_offer_before_the_baseline(world: World) -> None:
    world.waive(False)
    with pytest.raises(BaselineMissing):
        world.offer()
