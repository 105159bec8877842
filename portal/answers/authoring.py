"""Questionnaires as the team keeps them: what was published, its words corrected, files taken and given.

Structure is edited in a file and words in the browser. A file that was sent is checked, shown beside what is in
force, and published only by a second act, which carries the questionnaire itself: nothing waits on the server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.models import Person
from privacy.work import Work
from surveys import corrections, versions
from surveys.corrections import ChangedMeanwhile, Logged
from surveys.differences import Change, changes
from surveys.documents import Fault, Unsound
from surveys.phrases import condition, described
from surveys.questionnaires import Questionnaire, canonical, examine, load
from surveys.structure import Page
from surveys.versions import Published, Summary, Unpublished
from surveys.wordings import Key, only_wording, wordings

FILES_AT_MOST = 4
BYTES_AT_MOST = 150_000
"""A file's size: the longest questionnaire that the contract needs has a tenth of it."""
LONG = ("text", "intro", "hint", "error")


@dataclass(frozen=True, kw_only=True)
class VersionPage:
    """A published version for the team: what it asks, its corrections, and the other versions of its code."""

    published: Published
    summary: Summary
    log: Sequence[Logged]
    others: Sequence[Summary]
    names: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Outlined:
    """A page of a questionnaire in words: when it is shown, and each question with all that is set for it."""

    section: str
    page: Page
    shown: str
    questions: Sequence[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True)
class Wording:
    """One text to correct. `name` is the form's, `key` that of surveys/wordings.py."""

    key: str
    name: str
    what: str
    text: str
    long: bool

    def is_meant_by(self, fault: Fault) -> bool:
        """Whether a fault of the part is one of this text; a fault begins with what it is about."""
        match self.key.split("/"):
            case [*_, "option", code]:
                return fault.message.startswith(f"the label of {code} ")
            case [*_, "text_for", role]:
                return fault.message.startswith(f"text_for {role} ")
            case [*_, name]:
                return fault.message.startswith((f"{name} ", f"has an unknown placeholder in {name},"))
        return False


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A file that was sent: its faults, or what it would change. `seen` says what it was compared with."""

    name: str
    questionnaire: Questionnaire | None
    faults: Sequence[Fault]
    changes: Sequence[Change]
    current: Published | None
    seen: str

    @property
    def body(self) -> str:
        """What the second act sends back."""
        return canonical(self.questionnaire) if self.questionnaire else ""

    @property
    def only_words(self) -> bool:
        """Whether it changes words and nothing else, so that a correction may do."""
        if self.questionnaire is None or self.current is None:
            return False
        return bool(only_wording(self.current.questionnaire, self.questionnaire))


def version_page(db: DbSession, *, version_id: UUID) -> VersionPage | None:
    """A version with everything around it; None if there is none."""
    listed = versions.listed(db)
    summary = next((one for one in listed if one.id == version_id), None)
    if summary is None:
        return None
    log = corrections.log(db, version_id=version_id)
    return VersionPage(
        published=versions.pinned(db, version_id=version_id),
        summary=summary,
        log=log,
        others=[one for one in listed if one.code == summary.code and one.id != version_id],
        names=_names(db, log),
    )


@dataclass(frozen=True)
class Comparison:
    """Two versions of one questionnaire, the earlier one first, in their newest words."""

    before: Published
    after: Published
    changes: Sequence[Change]


def comparison(db: DbSession, version: VersionPage, *, number: int | None) -> Comparison | None:
    """A version beside another of the same code: the one of that number, else the one before it or, failing
    that, after it. None where there is no such version."""
    mine = version.summary.version
    near = sorted(version.others, key=lambda one: (one.version > mine, abs(one.version - mine)))
    other = next((one for one in near if number in (None, one.version)), None)
    if other is None:
        return None
    found = versions.compiled(db, [other.id, version.summary.id]).values()
    before, after = sorted(found, key=lambda one: one.number)
    return Comparison(before, after, changes(before.questionnaire, after.questionnaire))


def _names(db: DbSession, log: Sequence[Logged]) -> dict[str, str]:
    """Who corrected it, by the reference in the log."""
    found = {one.by: one.by for one in log}
    for by in found:
        kind, _, person_id = by.partition(":")
        person = db.get(Person, UUID(person_id)) if kind == "person" else None
        if person is not None:
            found[by] = person.name or person.ref
    return found


def outline(questionnaire: Questionnaire) -> list[Outlined]:
    """The whole questionnaire in words, page by page."""
    return [
        Outlined(
            section=section.title,
            page=page,
            shown=f"Shown if {condition(page.show_if, questionnaire)}" if page.show_if else "",
            questions=[(one.code, described(one, page, questionnaire)) for one in page.questions],
        )
        for section in questionnaire.sections
        for page in section.pages
    ]


def parts(questionnaire: Questionnaire) -> list[str]:
    """What can be corrected, each on a page of its own: `question/legal_duties`, `page/your_role`, `title`."""
    return list(dict.fromkeys(Key(key).part for key in wordings(questionnaire)))


def words_of(questionnaire: Questionnaire, part: str) -> list[Wording]:
    """The texts of one part; none if there is no such part."""
    return [
        Wording(
            key,
            key.replace("/", "-"),
            Key(key).what,
            text,
            key.rpartition("/")[2] in LONG or "text_for" in key,
        )
        for key, text in wordings(questionnaire).items()
        if Key(key).part == part
    ]


def beside(faults: Sequence[Fault], words: Sequence[Wording]) -> list[tuple[str | None, str]]:
    """Each fault with the name of the text that it is about; None where it is about no single one."""
    return [
        (next((one.name for one in words if one.is_meant_by(fault)), None), fault.message) for fault in faults
    ]


def propose(db: DbSession, files: Sequence[tuple[str, str]]) -> list[Proposed]:
    """What files (name and text) would change, or every fault in them: each by itself, then beside each other
    and what is in force."""
    examined = [examine(text, name=name) for name, text in files]
    whole = [one.questionnaire for one in examined if one.questionnaire]
    codes = [one.code for one in whole]
    misfits = versions.misfits(db, whole)
    there = {one.code: one for one in versions.in_force(db)}
    found = []
    for one in examined:
        questionnaire = one.questionnaire
        code = questionnaire.code if questionnaire else ""
        current = there.get(code)
        faults = [*one.faults, *one.placed(misfits.get(code, []))]
        if codes.count(code) > 1:
            faults.append(Fault(code, "was sent twice: send one file for each questionnaire"))
        found.append(
            Proposed(
                name=one.name,
                questionnaire=None if faults else questionnaire,
                faults=faults,
                changes=changes(current.questionnaire, questionnaire)
                if questionnaire and current and not faults
                else [],
                current=current,
                seen=seen(current),
            )
        )
    return found


def seen(current: Published | None) -> str:
    """What marks a version with its corrections, to notice that it was changed since it was shown."""
    return f"{current.id}-{len(current.corrections)}" if current else "none"


def publish(work: Work, bodies: Sequence[str], marks: Sequence[str]) -> list[tuple[str, int, bool]]:
    """Publish what was proposed, all or none; returns code, number and whether it is new, for each.

    Raises Unsound, or ChangedMeanwhile where what is in force is not what was shown.
    """
    questionnaires = [load(body, name=f"file-{number}.json") for number, body in enumerate(bodies, start=1)]
    if not questionnaires:
        raise Unsound("file", [Fault("file", "nothing was sent")])
    versions.lock(work, {one.code for one in questionnaires})
    for questionnaire, mark in zip(questionnaires, marks, strict=False):
        if seen(_current(work.db, questionnaire.code)) != mark:
            raise ChangedMeanwhile(questionnaire.code)
    made = versions.publish_together(work, questionnaires)
    return [(one.code, number, new) for one, (number, new) in zip(questionnaires, made, strict=True)]


def _current(db: DbSession, code: str) -> Published | None:
    try:
        return versions.current(db, code=code)
    except Unpublished:
        return None
