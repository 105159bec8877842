"""What those who deliver need by default in tests: clearance, undertaking, training, access, and a profile."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.mentors.clearances import GATED, PAGES
from portal.models import AccessDecision, Clearance, MentorProfile, Role
from portal.registers.access_review import REVIEWED
from privacy.clock import london_date
from privacy.records import Record, new_id
from privacy.work import Work

RECORD: dict[str, Any] = {
    "roles": ["lead_member"],
    "public_sector": "Ten years in councils",
    "one_to_one": "Mentored before",
    "skills": "Scrutiny",
    "kinds": ["county"],
    "regions": ["North West"],
    "capacity": 99,
    "trained_on": "2022-01-10",
    "coaching": "",
}
LAPSES = date(2030, 1, 1)
REVIEWED_UNTIL = date(2029, 12, 31)


def needed(work: Work, person_id: UUID, role: Role) -> Iterator[Record]:
    """The rows that somebody with this role needs, for years before and after any test's day."""
    if role in REVIEWED:
        decision = AccessDecision(
            id=new_id(),
            person_id=person_id,
            quarter_on=REVIEWED_UNTIL,
            kept=True,
            decided_at=work.now,
            by="system:test",
        )
        decision.roles = [role.value]
        yield decision
    if role not in GATED:
        return
    for kind in PAGES:
        yield Clearance(
            id=new_id(),
            person_id=person_id,
            kind=kind,
            from_on=london_date(work.now) - timedelta(days=900),
            expires_on=LAPSES,
            recorded_at=work.now,
            by="system:test",
        )
    if role is Role.MENTOR:
        profile = MentorProfile(id=new_id(), person_id=person_id, changed_at=work.now)
        profile.record = RECORD
        yield profile
