"""Steps of the walk after answers were sent: changed, shared, typed in, taken out; questionnaires reworded."""

from typing import Any

from sqlalchemy import select

from portal.models import Reopening, Role, Session
from surveys.export_files import Format
from surveys.models import Version, Wave
from surveys.questionnaires import load_definition, written
from tests.canary_walk import TEN, Walk, date_of, wordy
from tests.crowd import whole_answers
from tests.form_filling import filled, form_of
from tests.seconding import second_agrees


def change_minds(walk: Walk) -> None:
    """What is done with answers after they were sent; reminders; a form whose token is over."""
    leader, mentor, team = (walk.signed_in(walk.address[who]) for who in ("leader", "mentor", "admin"))
    first = walk.questionnaire("leader", "baseline")
    walk.post(leader, f"{first}/change")
    walk.post(team, f"/team/wishes/{walk.one(select(Reopening.id))}/settled", on="/team")
    walk.post(leader, f"{first}/change")
    walk.post(team, f"{first}/reopen")
    walk.answer(leader, first, again=True)
    walk.post(leader, f"{first}/share", on=f"{first}/receipt")
    mentor.get(f"{first}/shared")
    walk.post(leader, f"{first}/unshare", on=f"{first}/receipt")
    both = f"/questionnaires/{walk.part('leader')}/before-and-after"
    walk.post(leader, f"{both}/share", on=both)
    mentor.get(both)
    walk.post(leader, f"{both}/unshare", on=both)
    held = walk.one(select(Session.id).where(Session.starts_at == TEN))
    walk.post(leader, f"{walk.questionnaire('leader', 'feedback', str(held))}/withdraw")
    person = f"/team/people/{walk.person(walk.address['leader'])}"
    for _ in ("stopped", "resumed"):
        walk.post(leader, "/your-support/reminders", on="/your-support")
        walk.post(team, f"{person}/reminders", on=person)
    walk.post(team, "/team/mail/reminders", send="yes")
    kept = walk.keep(leader, f"{first}/change", "wish")
    assert list(walk.canaries.known(leader.get(kept).text)), "what was typed is shown again"
    walk.post(leader, f"{kept}/forget", on=kept)
    walk.keep(leader, f"{first}/change", "wish")


def take_in_paper(walk: Walk) -> None:
    """Answers from paper, typed in page by page, and from a file."""
    team = walk.signed_in(walk.address["admin"])
    start = f"/team/answers/{walk.part('late_member')}/baseline"
    walk.post(team, start, status=422, **date_of("answered_on", 31, 12, 2030))
    walk.post(team, start, **date_of("answered_on", 1))
    walk.answer(team, walk.questionnaire("late_member", "baseline"))
    answers = dict(whole_answers(Wave.POST, Role.COMMITTEE_MEMBER))
    cells = {code: ";".join(value) if isinstance(value, list) else value for code, value in answers.items()}
    cells |= {"impact_changed": walk.canaries.word("an example in a file")}
    row = {"email": walk.address["member"], "package": "", "answered_on": "2023-03-02"}
    row |= {"source": walk.canaries.word("where a file comes from"), **cells}
    wrong = walk.file(",".join(row), ",".join({**row, "answered_on": walk.canaries.word("a day")}.values()))
    right = walk.file(",".join(row), ",".join(row.values()))
    here = "/team/answers/import"
    walk.post(team, here, status=422, wave="post", file=wrong)
    walk.post(team, here, status=200, wave="post", check="yes", file=right)
    walk.post(team, here, wave="post", file=right)


def take_out(walk: Walk) -> None:
    """Exports, with names for a reason."""
    team = walk.signed_in(walk.address["admin"])
    here = "/team/questionnaires/post/export"
    walk.post(team, here, format="csv", who="names", partial="y")
    with walk.db() as db:
        second_agrees(db, walk.stack.clock)
    for format in Format:
        walk.post(team, here, status=200, format=format.value, who="names", partial="y")
    walk.post(team, here, status=422, who="names", reason="")
    walk.post(team, here, status=200, format="csv")


def reword(walk: Walk) -> None:
    """A questionnaire is tried out, its words are corrected, and a changed one is published."""
    team, here = walk.signed_in(walk.address["admin"]), "/team/questionnaires"
    post, feedback = (
        f"{here}/{walk.one(select(Version.id).where(Version.code == code))}" for code in ("post", "feedback")
    )
    page = team.get(f"{post}/preview")
    while page.heading != "End of the preview":
        form = form_of(page, f"{post}/preview")
        data = filled(form, walk.canaries, label=f"preview {len(walk.sent)}", typed=wordy(form))
        page = walk.send(team, f"{post}/preview", data, status=200)
    # Everybody reads these words, so they are in clear; why they change is not.
    part = f"{feedback}/wording?part=question/session_useful"
    shown = form_of(team.get(part), f"{feedback}/wording")
    words: dict[str, Any] = {area.get("name"): (area.text or "").strip() for area in shown.iter("textarea")}
    words |= {field.get("name"): field.get("value", "") for field in shown.iter("input")}
    words = {name: text for name, text in words.items() if name.startswith("question-")}
    words |= {"question-session_useful-text": "How useful was this session to you", "same": "y"}
    walk.post(team, part, **words)
    file = written(load_definition("feedback")).replace("Not sure yet", "I can't say yet")
    unsound = walk.file(f"code: {walk.canaries.word('no questionnaire')}", ending="yaml")
    walk.post(team, f"{here}/upload", status=422, files=unsound)
    shown = walk.post(team, f"{here}/upload", status=200, files=walk.file(file, ending="yaml"))
    form = form_of(shown, f"{here}/publish")
    walk.send(team, f"{here}/publish", filled(form, walk.canaries, label="publish", typed={}), status=303)
