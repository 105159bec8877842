"""One address of the demo that takes no mail any more, so that the team's list has one."""

from portal.demo.agenda import Agenda
from portal.demo.cast import Cast, Stage
from portal.mailing import bounces
from privacy.work import Work

NO_SUCH_MAILBOX = 550


def refuse(agenda: Agenda, cast: Cast) -> None:
    """The last of those who were invited and have not answered did not get the invitation."""
    silent = [support.members[0] for support in cast.supports if support.stage is Stage.INVITED]

    def act(work: Work) -> None:
        bounces.note(work, person_id=silent[-1].known, code=NO_SUCH_MAILBOX)

    if silent:
        agenda.at(agenda.now, act)
