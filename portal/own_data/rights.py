"""The rights that people have over their own data, each in plain words (UK GDPR Articles 15 to 21; section 164A)."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.own_data.cases import TITLES
from privacy.cases.tables import CaseKind


@dataclass(frozen=True)
class Right:
    """One right. `asks_what`: it cannot be dealt with until somebody says what they mean."""

    kind: CaseKind
    means: str
    then: str
    prompt: str
    asks_what: bool = True

    @property
    def title(self) -> str:
        return TITLES[self.kind]


RIGHTS: Sequence[Right] = (
    Right(
        CaseKind.ACCESS,
        "You get everything that we hold about you, with why we hold it, who sees it and how long we keep it.",
        "We search every place. We take out what is about other people. You get the rest.",
        "Is there something that you look for above all? You can leave this empty",
        asks_what=False,
    ),
    Right(
        CaseKind.RECTIFICATION,
        "Something that we hold about you is wrong, or something is missing. You can have it put right.",
        "We keep a note of what it said before, and tell whoever got it from us.",
        "What is wrong, and what is right?",
    ),
    Right(
        CaseKind.ERASURE,
        "You can ask us to delete what we hold about you: all of it, or a part.",
        "Some things may have to stay for a while, where the law says so. We tell you which. "
        "What is deleted cannot be brought back.",
        "What should be deleted, and why?",
    ),
    Right(
        CaseKind.RESTRICTION,
        "We keep your data and do nothing with it. That helps while you check whether it is right, for example.",
        "You get no mail from us but the one to sign in, and you stand in no list and no figure. "
        "You keep your own pages.",
        "What should we not use, and why?",
    ),
    Right(
        CaseKind.OBJECTION,
        "You can say that we should not use your data for something, because of how things are for you.",
        "We stop until it is decided, unless there is a strong reason to go on. We tell you which.",
        "What should we stop doing, and why?",
    ),
    Right(
        CaseKind.PORTABILITY,
        "You get what you gave us as files that other software can read.",
        "The files are of the kinds CSV and JSON. You can take them where you like.",
        "What do you want to take with you? You can leave this empty",
        asks_what=False,
    ),
    Right(
        CaseKind.COMPLAINT,
        "You think that we, or the Department, use your data in a way that is wrong.",
        "You hear within 30 days that your complaint is here, and then what came of it. "
        "You can also complain to the Information Commissioner's Office.",
        "What went wrong, and what would put it right?",
    ),
)


def right(word: str) -> Right | None:
    """The right that a word of an address names."""
    return next((one for one in RIGHTS if one.kind.value == word), None)
