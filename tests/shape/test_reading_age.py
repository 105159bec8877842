"""What people read can be read at about 9 to 12 years of age, page by page and mail by mail.

Measured with Flesch and Kincaid's grade, from the length of sentences and of words: a school year of the United
States, so a reader's age less five. It needs no list of easy words, which would be American and would not know
"council", and it is the one that guides to plain English in public services are measured with. On a few words it
jumps, so what is short is measured with what stands beside it; and no sentence is longer than 25 words, which a mean
would hide.
"""

import warnings
from collections import defaultdict
from collections.abc import Iterable

import pytest

from tests import reading
from tests.reading import Text

with warnings.catch_warnings():
    # It looks for its word lists by a way that its own platform calls old; none of them is used here.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
    import textstat

GRADE = 7.0
"""The grade of twelve-year-olds."""
MEAN = 4.0
"""The grade of nine-year-olds: half of what people read is no harder."""
WORDS = 25
ENOUGH = 60
"""Fewer words say little of how hard they are."""
EXCEPTIONS = {
    "Which one of this wave: the months after the start of support": "read by analysts, beside the data it explains",
    "In CSV files a text that begins with": "read by analysts, who need the characters one by one",
    "State the base of each figure": "read by analysts; the three bases are one choice",
}
"""How a sentence begins that may be longer, and why."""
HARDER = {"portal/returning/kept_records.py": "a list of records by their kinds, as the law names them"}
"""What may read harder, and why."""


def everything() -> list[Text]:
    return [*reading.pages(), *reading.messages(), *reading.mails(), *reading.questionnaires()]


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    return everything()


def grade(sentences: Iterable[str]) -> float:
    return float(textstat.flesch_kincaid_grade(" ".join(sentences)))


def measured(texts: list[Text]) -> dict[str, tuple[str, ...]]:
    """Each text by itself, or, where it is short, all short ones of its folder."""
    found: dict[str, tuple[str, ...]] = {}
    short: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        if len(text.words.split()) >= ENOUGH:
            found[text.where] = text.sentences
        else:
            short[text.where.rpartition("/")[0] or text.where.split()[0]] += text.sentences
    return found | {f"{folder}/ (short ones)": tuple(them) for folder, them in short.items() if them}


def test_every_page_and_mail_reads_at_twelve_or_younger(texts: list[Text]) -> None:
    hard = {where: found for where, one in measured(texts).items() if (found := grade(one)) > GRADE}
    assert set(hard) == set(HARDER)


def test_half_of_it_reads_at_nine_or_younger(texts: list[Text]) -> None:
    grades = sorted(grade(one) for one in measured(texts).values())
    assert grades[len(grades) // 2] <= MEAN


def test_no_sentence_is_long(texts: list[Text]) -> None:
    long = {
        sentence: text.where for text in texts for sentence in text.sentences if len(sentence.split()) > WORDS
    }
    excused = {known: [one for one in long if one.startswith(known)] for known in EXCEPTIONS}
    assert all(excused.values()), "an exception that is no longer needed"
    assert {one: where for one, where in long.items() if not one.startswith(tuple(EXCEPTIONS))} == {}


def test_everything_is_read(texts: list[Text]) -> None:
    """The reader of templates finds words of every state of a page, of messages, mails and questions."""
    said = {sentence for text in texts for sentence in text.sentences}
    for known in (
        "We are finding you a mentor and will write to you.",  # an empty state
        "You can book as soon as your first questionnaire is in.",  # a branch in the middle
        "A calendar invitation is on its way by e-mail.",  # a message after an act
        "Both work once, until 9:10am.",  # a mail
        "How confident do you feel in each of these, today?",  # a question
    ):
        assert known in said, known
    assert len(said) > 3000


def test_a_hard_text_is_found() -> None:
    """The measure itself: a sentence of the contract's own kind is far above the limit."""
    hard = (
        "Notwithstanding the foregoing, the appropriate authorisation procedures necessitate comprehensive "
        "documentation of organisational responsibilities."
    )
    assert grade([hard] * 5) > 2 * GRADE
    assert grade(["We send you a mail when there is a time to book."]) < MEAN
