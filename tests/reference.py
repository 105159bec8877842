"""The figures by another route: raw rows opened by hand, days instead of instants, plain Python, SciPy and NumPy.

Nothing of the product is used but the sealed format's description: no model, no rule, no statistic. It is written to
be read against the contract and the programme file, not to be quick.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from scipy.stats import binomtest
from scipy.stats.contingency import crosstab
from sqlalchemy import Engine, text

LONDON = ZoneInfo("Europe/London")
SCORES = {"not_at_all": 1, "slightly": 2, "fairly": 3, "very": 4, "completely": 5}
POINTS = [1, 2, 3, 4, 5]
MORE = {"much_more", "little_more"}
Plain = dict[str, Any]


@dataclass
class Sent:
    """One revision of one wave: when it was sent and said, how it came in, what it holds."""

    submitted_at: datetime
    said: datetime
    mode: str
    answers: Plain
    verdicts: list[Plain]


@dataclass
class Member:
    """One participation as the database has it, with everything that was sent."""

    id: str
    person: str | None
    strand: str
    role: str
    restricted: bool
    end: date | None
    first_session: datetime | None
    sent: dict[str, list[Sent]]
    begun: bool


class Reference:
    """Reads everything once and recomputes every figure."""

    def __init__(self, engine: Engine, keystore: Engine, keks: Mapping[str, bytes], *, as_of: date) -> None:
        self.as_of = as_of
        facts = tomllib.loads(Path("programme.toml").read_text(encoding="utf-8"))
        self.contract_end: date = facts["contract"]["ends_on"]
        self.months: int = facts["windows"]["post_months"]
        self.grace: int = facts["windows"]["grace_days"]
        self.targets = {strand: facts["kpi"][strand]["target"] for strand in ("one_to_one", "group")}
        self.keys = _opened_keys(keystore, keks)
        with engine.connect() as connection:
            self.members = self._members(connection)

    # ---- reading

    def _members(self, connection: Any) -> list[Member]:
        sent, begun = self._sent(connection)
        firsts: dict[str, datetime] = {}
        for part, starts_at in connection.execute(
            text(
                "select a.participation_id, s.starts_at from attendance a join session s on s.id = a.session_id "
                "where a.state in ('booked', 'attended') and s.state <> 'cancelled'"
            )
        ):
            moment = _moment(starts_at)
            firsts[_hex(part)] = min(moment, firsts.get(_hex(part), moment))
        found = []
        for row in connection.execute(
            text(
                "select pa.id, pa.person_id, pa.role, pa.from_on, pa.to_on, k.strand, k.state, k.starts_on, k.ends_on, "
                "r.restricted_at from participation pa join package k on k.id = pa.package_id "
                "join respondent r on r.id = pa.id"
            )
        ).mappings():
            starts, left = _day(row["starts_on"]), _day(row["to_on"])
            ended = _day(row["ends_on"]) if row["state"] == "ended" else None
            if row["state"] not in ("active", "ended") or starts is None or starts > self.as_of:
                continue
            joined = _day(row["from_on"])
            if joined is None or joined > self.as_of or (left is not None and left < starts):
                continue
            ends = [day for day in (left, ended) if day is not None]
            key = _hex(row["id"])
            found.append(
                Member(
                    id=key,
                    person=None if row["person_id"] is None else _hex(row["person_id"]),
                    strand=row["strand"],
                    role=row["role"],
                    restricted=row["restricted_at"] is not None,
                    end=min(ends) if ends else None,
                    first_session=firsts.get(key),
                    sent=sent.get(key, {}),
                    begun=key in begun,
                )
            )
        return found

    def _sent(self, connection: Any) -> tuple[dict[str, dict[str, list[Sent]]], set[str]]:
        begun = set()
        found: dict[str, dict[str, list[Sent]]] = {}
        over = datetime.combine(self.as_of + timedelta(days=1), datetime.min.time(), LONDON)
        now = "select 'response' as held, r.id as at, r.* from response r"
        past = (
            "select 'response_past' as held, p.id as at, p.respondent_id, r.wave, r.mode, r.answered_on, r.state, "
            "p.submitted_at, p.answers_sealed, p.judgement_sealed, r.started_at "
            "from response_past p join response r on r.id = p.response_id"
        )
        for sql in (now, past):
            for row in connection.execute(text(sql)).mappings():
                holder = _hex(row["respondent_id"])
                if row["state"] == "draft" and row["wave"] == "post" and _moment(row["started_at"]) < over:
                    begun.add(holder)
                if row["state"] != "submitted" or holder not in self.keys:
                    continue
                sent_at = _moment(row["submitted_at"])
                if sent_at >= over:
                    continue
                answered = _day(row["answered_on"])
                said = (
                    sent_at if answered is None else datetime.combine(answered, datetime.min.time(), LONDON)
                )
                one = Sent(
                    sent_at,
                    said,
                    row["mode"],
                    self._open(row, "answers_sealed", holder),
                    (self._open(row, "judgement_sealed", holder) or {}).get("verdicts", []),
                )
                one.verdicts = [given for given in one.verdicts if datetime.fromisoformat(given["at"]) < over]
                found.setdefault(holder, {}).setdefault(row["wave"], []).append(one)
        for waves in found.values():
            for sent in waves.values():
                sent.sort(key=lambda one: one.submitted_at)
        return found, begun

    def _open(self, row: Mapping[str, Any], column: str, holder: str) -> Any:
        value = row[column]
        if value is None:
            return None
        value = bytes(value)
        place = _lengths(
            b"\x01",
            row["held"].encode(),
            column.encode(),
            bytes.fromhex(_hex(row["at"])),
            bytes.fromhex(holder),
            value[1:5],
        )
        body = AESGCM(self.keys[holder]).decrypt(value[5:17], value[17:], place)
        return json.loads(body[4 : 4 + int.from_bytes(body[:4], "big")])

    # ---- who counts, in days

    def last_day(self, end: date) -> date:
        year, month = (end.year, end.month + self.months)
        if month > 12:
            year, month = year + 1, month - 12
        day = end.day
        while True:
            try:
                last = date(year, month, day)
                break
            except ValueError:
                day -= 1
        return max(end, min(last, self.contract_end))

    def is_closed(self, member: Member) -> bool:
        return member.end is not None and self.last_day(member.end) < self.as_of

    def base(self, strand: str) -> list[Member]:
        """Each person once, with the support whose window closed last."""
        people: dict[str, Member] = {}
        for member in self.members:
            if member.strand == strand and member.person and not member.restricted and self.is_closed(member):
                assert member.end is not None
                other = people.get(member.person)
                place = (self.last_day(member.end), member.id)
                if other is None or (self.last_day(other.end or date.min), other.id) < place:
                    people[member.person] = member
        return list(people.values())

    def pair(self, member: Member, *, late_too: bool) -> tuple[Sent | None, Sent | None]:
        """The latest baseline and post questionnaire; unless late ones count too, those of their time."""
        assert member.end is not None
        end, last = member.end, self.last_day(member.end)
        baselines, posts = member.sent.get("baseline", []), member.sent.get("post", [])
        if not late_too:
            baselines = [one for one in baselines if one.said.astimezone(LONDON).date() < end]
            if member.first_session is not None:
                baselines = [one for one in baselines if one.said < member.first_session]
            posts = [one for one in posts if one.said.astimezone(LONDON).date() <= last]
        return baselines[-1] if baselines else None, posts[-1] if posts else None

    # ---- the figures

    def kpi(self, strand: str) -> Plain:
        own = [member for member in self.members if member.strand == strand]
        apart = {member.person for member in own if member.person and member.restricted}
        people = {member.person for member in own if member.person and not member.restricted}
        erased = sum(member.person is None for member in own)
        base = self.base(strand)
        rest = people - {member.person for member in base}
        opened = {
            member.person
            for member in own
            if member.person in rest and member.end is not None and member.end <= self.as_of
        }
        in_time = [self.pair(member, late_too=False) for member in base]
        ever = [self.pair(member, late_too=True) for member in base]
        answered = [(before, post) for before, post in in_time if post is not None]
        count = self._counts(answered)
        everybody = [(before, post) for before, post in ever if post is not None]
        all_count = self._counts(everybody)
        partial = sum(
            member.begun
            and post is None
            and member.end is not None
            and min(self.last_day(member.end) + timedelta(days=self.grace), self.contract_end) <= self.as_of
            for member, (_, post) in zip(base, ever, strict=True)
        )
        silent = len(base) - len(answered)
        target = self.targets[strand]
        sides = [
            _side("silence_no", count["both"], len(base), target),
            _side("silence_yes", count["both"] + silent, len(base), target),
            _side("answered", count["both"], len(answered), target),
            _side("all_answered", all_count["both"], len(everybody), target),
            _side("matched", count["both"], count["matched"], target),
        ]
        return {
            "supported": len(people) + len(apart) + erased,
            "closed": len(base),
            "base": len(base),
            "answered": len(answered),
            "silent": silent,
            "late": len(everybody) - len(answered),
            "partial": partial,
            "open": len(opened),
            "running": len(rest) - len(opened),
            "erased": erased,
            "restricted": len(apart),
            "full_count": bool(base) and not silent,
            "target": target,
            **{name: sides[0][name] for name in ("share", "interval", "met", "met_with_confidence")},
            **count,
            "sides": sides,
            "everybody": {
                "answered": len(everybody),
                **{name: all_count[name] for name in ("matched", "confident", "impact", "both")},
                "modes": dict(Counter(post.mode for _, post in everybody)),
            },
            "confidence": self._confidence(in_time),
        }

    def _counts(self, pairs: Sequence[tuple[Sent | None, Sent]]) -> dict[str, int]:
        count = dict.fromkeys(
            (
                *("matched", "confident", "stayed_at_top", "unchanged", "lower", "impact", "both", "direct"),
                *("at_top_before", "examples", "waiting_for_verdict", "partly", "not_yet"),
            ),
            0,
        )
        for baseline, post in pairs:
            before = _score(baseline, "role_confidence")
            after = _score(post, "role_confidence")
            rose = before is not None and after is not None and after > before
            if before is not None and after is not None:
                count["matched"] += 1
                if after > before:
                    count["confident"] += 1
                elif after < before:
                    count["lower"] += 1
                else:
                    count["stayed_at_top" if before == 5 else "unchanged"] += 1
            count["at_top_before"] += before == 5
            count["direct"] += post.answers.get("confidence_change") in MORE
            if post.answers.get("impact_have") == "yes":
                count["examples"] += 1
                verdict = post.verdicts[-1]["verdict"] if post.verdicts else "waiting_for_verdict"
                count["impact" if verdict == "accepted" else verdict] += 1
                count["both"] += rose and verdict == "accepted"
        return count

    def _confidence(self, pairs: Sequence[tuple[Sent | None, Sent | None]]) -> Plain:
        three = [
            (
                _score(baseline, "role_confidence"),
                _score(post, "role_confidence_then"),
                _score(post, "role_confidence"),
                post is not None,
            )
            for baseline, post in pairs
        ]
        answered = [one for one in three if one[3]]
        return {
            "measured": moved([(before, after) for before, _, after, _ in answered]),
            "looking_back": moved([(then, after) for _, then, after, _ in answered]),
            "hindsight": moved([(before, then) for before, then, _, _ in answered]),
            "baseline_of_answerers": spread([before for before, *_ in answered if before is not None]),
            "baseline_of_silent": spread([one[0] for one in three if not one[3] and one[0] is not None]),
        }

    def statement(self, strand: str, code: str, role: str | None) -> Plain:
        """How one statement moved among the base, in one role or all."""
        pairs = [
            self.pair(member, late_too=False) for member in self.base(strand) if role in (None, member.role)
        ]
        return moved([(_score(one, code), _score(other, code)) for one, other in pairs])


def moved(pairs: Sequence[tuple[int | None, int | None]]) -> Plain:
    """A shift: groups, sign test, spreads, transitions; of those who gave both scores."""
    known = [(before, after) for before, after in pairs if before is not None and after is not None]
    before, after = [one for one, _ in known], [other for _, other in known]
    differences = [other - one for one, other in known]
    higher, lower = sum(by > 0 for by in differences), sum(by < 0 for by in differences)
    table = crosstab(before, after, levels=(POINTS, POINTS)).count.tolist() if known else [[0] * 5] * 5
    tested = higher + lower >= 6
    return {
        "base": len(known),
        "scores": POINTS,
        "higher": higher,
        "stayed_at_top": known.count((5, 5)),
        "unchanged": sum(by == 0 for by in differences) - known.count((5, 5)),
        "lower": lower,
        "sign_test": {
            "changed": higher + lower,
            "needed": 6,
            "p_value": float(binomtest(higher, higher + lower, 0.5).pvalue) if tested else None,
            "says": "tested" if tested else "too few to test",
        },
        "before": spread(before),
        "after": spread(after),
        "transitions": table,
    }


def spread(values: Sequence[int]) -> Plain:
    return {
        "base": len(values),
        "counts": [values.count(point) for point in POINTS],
        "median": float(numpy.median(values)) if values else None,
        "mean": float(numpy.mean(values)) if values else None,
    }


def _side(name: str, count: int, base: int, target: float) -> Plain:
    if base:
        found = binomtest(count, base).proportion_ci(confidence_level=0.95, method="wilson")
        interval = [float(found.low), float(found.high)]
    else:
        interval = [0.0, 1.0]
    share = count / base if base else None
    return {
        "name": name,
        "count": count,
        "base": base,
        "share": share,
        "interval": interval,
        "met": share is not None and count >= target * base,
        "met_with_confidence": share is not None and interval[0] >= target,
    }


def _score(sent: Sent | None, code: str) -> int | None:
    return None if sent is None else SCORES.get(sent.answers.get(code) or "")


def _opened_keys(keystore: Engine, keks: Mapping[str, bytes]) -> dict[str, bytes]:
    """The data key of every holder that was not destroyed."""
    found = {}
    with keystore.connect() as connection:
        rows = connection.execute(text("select holder_id, version, kek_id, wrapped from subject_key")).all()
    for holder, version, kek_id, wrapped in rows:
        if wrapped is not None:
            key = bytes.fromhex(_hex(holder))
            bound = _lengths(b"subject_key", key, version.to_bytes(4, "big"), kek_id.encode())
            found[_hex(holder)] = AESGCM(keks[kek_id]).decrypt(
                bytes(wrapped)[:12], bytes(wrapped)[12:], bound
            )
    return found


def _lengths(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _hex(value: object) -> str:
    return str(value).replace("-", "")


def _moment(value: object) -> datetime:
    found = datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _day(value: object) -> date | None:
    return None if value is None else date.fromisoformat(str(value)[:10])
