"""Self-assessment tools (sch 5 Tools): questionnaires without a wave, answered as often as somebody likes.

Each time is a response of its own; its occasion is the tool's code with a running number. Whose they are is shown
to nobody else, and they stand in no figure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.answers.parts import Part
from portal.answers.windows import Opening
from portal.models import Participation
from portal.programme import Programme, contract_period
from privacy.clock import end_of_day, london_date
from surveys import versions
from surveys.models import SENT, Wave
from surveys.standings import Standing, Standings, standings
from surveys.waves import Window

_OCCASION = re.compile(r"([a-z][a-z0-9_]{0,39})-([1-9][0-9]{0,3})")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One time that somebody answered a tool."""

    participation_id: UUID
    occasion: str
    submitted_at: datetime


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as somebody sees it: `occasion` is what they go on with or begin, `turns` what they sent, newest first."""

    code: str
    title: str
    participation_id: UUID
    occasion: str
    begun: bool
    turns: Sequence[Turn]


def tools_of(db: DbSession, participations: Sequence[Participation], *, known: Standings) -> list[Tool]:
    """The tools that somebody can use; these are all of their participations, with how they stand in everything.
    One query, nothing is opened.

    A new turn belongs to the newest participation that goes on; somebody who left reads what they sent.
    """
    here = max(participations, key=lambda part: (part.to_on is None, part.from_on), default=None)
    if here is None:
        return []
    stands = [standing for standing in known.values() if standing.wave is Wave.TOOL]
    return [
        _tool(published.code, published.questionnaire.title, here, stands)
        for published in versions.tools(db, role=here.role.value)
    ]


def turns_of(db: DbSession, participation_id: UUID, *, code: str) -> list[Turn]:
    """The times that somebody sent a tool in one participation, newest first."""
    found = standings(db, [participation_id]).values()
    return _turns([one for one in found if one.wave is Wave.TOOL and code_of(one.occasion) == code])


def _turns(stands: Sequence[Standing]) -> list[Turn]:
    sent = [
        Turn(participation_id=one.respondent_id, occasion=one.occasion, submitted_at=one.submitted_at)
        for one in stands
        if one.submitted_at is not None
    ]
    return sorted(sent, key=lambda turn: turn.submitted_at, reverse=True)


def _tool(code: str, title: str, here: Participation, stands: Sequence[Standing]) -> Tool:
    mine = [standing for standing in stands if code_of(standing.occasion) == code]
    own = [standing for standing in mine if standing.respondent_id == here.id]
    begun = next((one for one in own if one.state not in SENT or one.reopened), None)
    return Tool(
        code=code,
        title=title,
        participation_id=here.id,
        occasion=begun.occasion if begun else f"{code}-{len(own) + 1}",
        begun=begun is not None,
        turns=_turns(mine),
    )


def code_of(occasion: str) -> str | None:
    """The tool that an occasion belongs to; None if it is none of a tool's."""
    found = _OCCASION.fullmatch(occasion)
    return found[1] if found else None


def title_of(db: DbSession, occasion: str) -> str:
    """What the tool of an occasion is called now."""
    return versions.current(db, code=code_of(occasion) or occasion).questionnaire.title


def opening(
    db: DbSession, programme: Programme, part: Participation | Part, *, occasion: str, now: datetime
) -> Opening | None:
    """When a turn can be taken: until the contract ends. None for what is no tool of this role's, and for a number
    that isn't the next one and was never begun."""
    found = _OCCASION.fullmatch(occasion)
    if found is None or not any(one.code == found[1] for one in versions.tools(db, role=part.role.value)):
        return None
    turns = {key[2] for key in standings(db, [part.id]) if key[1] is Wave.TOOL}
    begun = sum(code_of(turn) == found[1] for turn in turns)
    if occasion not in turns and int(found[2]) != begun + 1:
        return None
    ends_at = end_of_day(contract_period(db, programme, on=london_date(now)).ends_on)
    window = Window(min(part.package.created_at, ends_at), ends_at, ends_at)
    return Opening(participation_id=part.id, wave=Wave.TOOL, occasion=occasion, window=window)
