"""Who may do what: one pure function per act, asked by guards and templates alike."""

from typing import Protocol
from uuid import UUID

from portal.actors import Actor, holds_staff
from portal.models import (
    STAFF,
    Offer,
    Office,
    Package,
    Person,
    Role,
    Session,
    Strand,
)
from portal.parking import Parked
from portal.questionnaires import Asked
from portal.serving import serves_from
from portal.shares import Shared
from surveys.models import Wave
from surveys.versions import Published


class Supported(Protocol):
    """Somebody who is supported: the person, None once erased, and who has a hand in giving it."""

    @property
    def person_id(self) -> UUID | None: ...

    @property
    def given_by(self) -> frozenset[UUID]: ...


def may_run_programme(actor: Actor) -> bool:
    """Councils, people, packages, verdicts: the programme team's work (P5)."""
    return Role.TEAM in actor.roles


def may_see_team_page(actor: Actor, thing: object) -> bool:
    """A page of the team about one thing."""
    return may_run_programme(actor)


def is_mentor_of(actor: Actor, package: Package) -> bool:
    """From the day they are put on it, so that they can offer times before it starts, to their last day."""
    return any(
        serving.person_id == actor.person_id and serves_from(serving, actor.today)
        for serving in package.mentors
    )


def takes_part(actor: Actor, package: Package) -> bool:
    return any(part.person_id == actor.person_id and part.to_on is None for part in package.participations)


def may_see_package(actor: Actor, package: Package) -> bool:
    return may_run_programme(actor) or is_mentor_of(actor, package) or takes_part(actor, package)


def may_serve_package(actor: Actor, package: Package) -> bool:
    """Offer times, log and record sessions: its mentors and the team."""
    return may_run_programme(actor) or is_mentor_of(actor, package)


def may_book(actor: Actor, package: Package) -> bool:
    """Book a one-to-one session: the leader, a mentor of the package, or the team."""
    return package.strand is Strand.ONE_TO_ONE and may_see_package(actor, package)


def may_see_session(actor: Actor, session: Session) -> bool:
    return session.mentor_id == actor.person_id or may_see_package(actor, session.package)


def may_record(actor: Actor, session: Session) -> bool:
    """Record that a session took place: its mentor or the team."""
    return session.mentor_id == actor.person_id or may_serve_package(actor, session.package)


def may_change_session(actor: Actor, session: Session) -> bool:
    """Move or cancel: whoever may book it; a group session only its mentor and the team.

    Whether it can still be changed is for the rule to say.
    """
    return may_record(actor, session) or may_book(actor, session.package)


def may_take_place(actor: Actor, session: Session) -> bool:
    """Take or give up a place in a group session: the members of the group."""
    return session.capacity is not None and takes_part(actor, session.package)


def may_choose_offer(actor: Actor, offer_and_package: tuple[Offer, Package]) -> bool:
    return takes_part(actor, offer_and_package[1])


def may_publish_hours(actor: Actor) -> bool:
    return Role.MENTOR in actor.roles


def may_mentor(actor: Actor) -> bool:
    return Role.MENTOR in actor.roles


def may_answer(actor: Actor, asked: Supported) -> bool:
    """Answer a questionnaire: the person who is asked, and nobody for them."""
    return asked.person_id == actor.person_id


def may_interview(actor: Actor, asked: Supported) -> bool:
    """Fill a questionnaire in with somebody who would rather talk (sch 4: questionnaire or interview). A
    self-assessment tool is answered for oneself alone (sch 5 Tools)."""
    return may_run_programme(actor) and stands_apart(actor, asked) and not _is_tool(asked)


def may_ask_to_change(actor: Actor, asked: Asked) -> bool:
    """Ask the team to open what was sent; a tool is answered again instead."""
    return may_answer(actor, asked) and not _is_tool(asked)


def _is_tool(asked: Supported) -> bool:
    return isinstance(asked, Asked) and asked.asking.wave is Wave.TOOL


def may_answer_or_interview(actor: Actor, asked: Supported) -> bool:
    return may_answer(actor, asked) or may_interview(actor, asked)


def may_read_shared(actor: Actor, shared: Shared) -> bool:
    """Read answers that a participant shares: the mentors they are shared with, while they serve."""
    return actor.person_id in shared.readers and is_mentor_of(actor, shared.package)


def may_compare(actor: Actor, shared: Shared) -> bool:
    """Read somebody's before and after: themselves, and mentors they share it with."""
    return shared.person_id == actor.person_id or may_read_shared(actor, shared)


def owns_shared(actor: Actor, shared: Shared) -> bool:
    """Share and take back: the person whose answers they are."""
    return shared.person_id == actor.person_id


def may_see_kept(actor: Actor, parked: Parked) -> bool:
    """A form that was kept for its writer; it is only looked for among the actor's own."""
    return True


def may_export(actor: Actor, published: Published) -> bool:
    """Take answers out: the team, but for a tool, which somebody answers for themselves (sch 5 Tools)."""
    return may_run_programme(actor) and not published.is_tool


def may_judge(actor: Actor, example: Supported) -> bool:
    """Read an example of impact and give a verdict: the team, but for those who gave or got the support."""
    return may_run_programme(actor) and stands_apart(actor, example)


def stands_apart(actor: Actor, supported: Supported) -> bool:
    """Neither who is supported nor somebody who gives it: no mentor learns what their leaders answer."""
    return actor.person_id != supported.person_id and actor.person_id not in supported.given_by


def may_read_kpi(actor: Actor) -> bool:
    """The two KPI figures: the team and the Department's observer (sch 4 KPIs)."""
    return bool(actor.roles & {Role.TEAM, Role.OBSERVER})


def may_read_register(actor: Actor) -> bool:
    """The register of holdings: the data protection officer and the Controller's auditor (cl 17.9)."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_read_safekeeping(actor: Actor) -> bool:
    """How keys and backups are kept: the data protection officer and the Controller's auditor (cl 17.3, 17.9)."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_answer_for_data(actor: Actor) -> bool:
    """Export, rectify, restrict, hold and erase: the data protection officer alone (cl 17.4, 17.8)."""
    return Role.DPO in actor.roles


def may_answer_for(actor: Actor, person: Person) -> bool:
    """The same about somebody; not about oneself."""
    return may_answer_for_data(actor) and actor.person_id != person.id


def may_read_trail(actor: Actor) -> bool:
    """The audit trail: the data protection officer and the Controller's auditor (cl 14, 17.9)."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_manage_accounts(actor: Actor) -> bool:
    """Staff accounts: the administrator (P9)."""
    return Role.ADMINISTRATOR in actor.roles


def may_manage_account(actor: Actor, person: Person) -> bool:
    return may_manage_accounts(actor)


def is_staff(person: Person) -> bool:
    """Whether somebody holds, held or will hold an office that runs or watches the programme."""
    return any(office.role in STAFF for office in person.offices)


def may_add_person(actor: Actor) -> bool:
    """The team adds participants and mentors, the administrator staff (P9)."""
    return may_run_programme(actor) or may_manage_accounts(actor)


def may_see_person(actor: Actor, person: Person) -> bool:
    """What is known of somebody: the team of everybody, the administrator of staff (P9)."""
    return may_run_programme(actor) or (may_manage_accounts(actor) and is_staff(person))


def may_see_office(actor: Actor, office: Office) -> bool:
    return may_see_person(actor, office.person)


def may_change_person(actor: Actor, person: Person) -> bool:
    """Change address and roles, close the account: of staff the administrator, of others the team."""
    if holds_staff(person, actor.today):
        return may_manage_accounts(actor)
    return may_run_programme(actor) or (may_manage_accounts(actor) and is_staff(person))


def may_see_own(actor: Actor) -> bool:
    """Pages that show people only what is theirs."""
    return True


def may_see_support(actor: Actor) -> bool:
    """ "Your support": everybody who receives some."""
    return actor.is_participant
