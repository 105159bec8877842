"""The timeline of a package, for the team: its questionnaires, its support, its sessions, and where today is."""

from datetime import date, timedelta

from portal.filters import days
from portal.models import PackageState, SessionState
from portal.packages.lists import PackagePage
from portal.programme import Programme
from portal.results import pictures
from portal.results.drawing import Picture
from portal.results.pictures import Stretch
from privacy.clock import london_date
from surveys.models import Wave


def picture(shown: PackagePage, programme: Programme, *, today: date) -> Picture | None:
    """The timeline; None before support has begun, or where it was withdrawn."""
    package = shown.package
    if package.state not in (PackageState.ACTIVE, PackageState.ENDED):
        return None
    ends = package.ends_on if package.state is PackageState.ENDED and package.ends_on else today
    support = [(package.starts_on, ends)] if package.starts_on <= ends else []
    stretches = [
        _questionnaire("Questionnaire before support", shown, Wave.BASELINE, today),
        Stretch("Support", support),
        Stretch("Sessions held", _sessions(shown, SessionState.HELD)),
        Stretch("Sessions booked", _sessions(shown, SessionState.BOOKED), planned=True),
        _questionnaire("Questionnaire after support", shown, Wave.POST, today),
    ]
    ledger, day = shown.ledger, programme.minutes_in_day
    held = days(ledger.delivered, day).split()[0]
    return pictures.timeline(
        finding=f"{held} of {days(max(ledger.planned, ledger.minimum), day)} of support held",
        stretches=[one for one in stretches if one.spans],
        today=today,
    )


def _questionnaire(label: str, shown: PackagePage, wave: Wave, today: date) -> Stretch:
    """When it was or is open to anybody of the package. One that is open without a last day in sight, until the first
    session, is drawn until today."""
    due = [one for (_, which), one in shown.due.items() if which is wave]
    if not due:
        return Stretch(label, [])
    first = london_date(min(one.opens_at for one in due))
    last = london_date(max(one.closes_at for one in due) - timedelta(microseconds=1))
    if wave is Wave.BASELINE:
        last = min(last, today)
    return Stretch(label, [(first, max(first, last))], planned=first > today)


def _sessions(shown: PackagePage, state: SessionState) -> list[tuple[date, date]]:
    on = sorted(london_date(one.starts_at) for one in shown.sessions if one.state is state)
    return [(one, one) for one in on]
