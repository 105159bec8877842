"""What the mails say that go to a possible second person, and to who asked once somebody did not agree: what kind of
act it is. On what, and why not, a page says."""

from collections.abc import Mapping

from sqlalchemy.orm import Session as DbSession

from portal.desk.approvals import REFUSED, TEMPLATE
from portal.mailing.contexts import Around, Context, Letter
from portal.models import Approval, Mail, Person, SecondAct

WORDS: Mapping[SecondAct, str] = {
    SecondAct.EXPORT: "Take out everything held about somebody",
    SecondAct.ERASURE: "Erase somebody's data",
    SecondAct.KEY: "Destroy a key for good",
    SecondAct.ANSWERS: "Take out answers with names",
}


def second_person(db: DbSession, row: Mail, reader: Person, around: Around) -> Letter | None:
    """What waits; none once it was answered, or nobody agreed in time."""
    asked = db.get(Approval, row.about)
    if asked is None or asked.agreed is not None or asked.ends_at <= around.now:
        return None
    return Letter({"what": WORDS[asked.act], "until": asked.ends_at, "link": around.link("second_person")})


def refused(db: DbSession, row: Mail, reader: Person, around: Around) -> Letter | None:
    """That it is not done; where the reason stands."""
    asked = db.get(Approval, row.about)
    if asked is None or asked.agreed is not False:
        return None
    return Letter({"what": WORDS[asked.act], "link": around.link("not_agreed", asked.id)})


CONTEXTS: Mapping[str, Context] = {TEMPLATE: second_person, REFUSED: refused}
