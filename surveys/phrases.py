"""A questionnaire's structure in words, for people who read it rather than answer it."""

from collections.abc import Iterable

from surveys.conditions import Answered, Condition, Every, Is, Not, Some
from surveys.questions import Option, Question
from surveys.structure import ROLES, Page, Questionnaire

KINDS = {
    "information": "Text to read",
    "choice": "One choice",
    "scale": "Scale",
    "yes_no": "Yes or no",
    "choices": "Several choices",
    "text": "Short text",
    "long_text": "Long text",
    "number": "Whole number",
    "date": "Date",
}


def roles(codes: Iterable[str]) -> str:
    """The roles in the order in which they are always named; every role where there is none."""
    chosen = [role.replace("_", " ") for role in ROLES if role in set(codes)]
    return ", ".join(chosen) if chosen else "every role"


def condition(shown: Condition, questionnaire: Questionnaire) -> str:
    """When a condition is true, as the rest of a sentence that begins with "if"."""
    match shown:
        case Is(code, options):
            return f"{_question(code, questionnaire)} is {_options(code, options, questionnaire)}"
        case Answered(code):
            return f"{_question(code, questionnaire)} was answered"
        case Not(Answered(code)):
            return f"{_question(code, questionnaire)} was not answered"
        case Not(Is(code, options)):
            return f"{_question(code, questionnaire)} is not {_options(code, options, questionnaire)}"
        case Not(part):
            return f"it is not so that {condition(part, questionnaire)}"
        case Every(parts):
            return " and ".join(_joined(part, questionnaire) for part in parts)
        case Some(parts):
            return " or ".join(_joined(part, questionnaire) for part in parts)
    raise TypeError(f"{shown!r} has no words")


def _joined(part: Condition, questionnaire: Questionnaire) -> str:
    words = condition(part, questionnaire)
    return f"({words})" if isinstance(part, Every | Some) else words


def _question(code: str, questionnaire: Questionnaire) -> str:
    placed = questionnaire.placed.get(code)
    return f"‘{placed[1].text.rstrip('?:. ')}’" if placed else code


def _options(code: str, options: tuple[str, ...], questionnaire: Questionnaire) -> str:
    placed = questionnaire.placed.get(code)
    labels = {option.code: option.label for option in placed[1].listed()} if placed else {}
    return " or ".join(f"‘{labels.get(option, option)}’" for option in options)


def _option(option: Option) -> str:
    notes = [f"score {option.score}"] if option.score is not None else []
    notes += ["with a box to say what"] if option.detail else []
    notes += ["stands apart"] if option.apart else []
    return option.label + (f" ({', '.join(notes)})" if notes else "")


def described(question: Question, page: Page, questionnaire: Questionnaire) -> dict[str, str]:
    """Everything about a question by what it is called; two questions are the same when all of it is."""
    told = {"Page": page.title, "Kind": KINDS[question.kind], "Wording": question.text}
    told |= {
        f"Wording for a {role.replace('_', ' ')}": text for role, text in sorted(question.text_for.items())
    }
    told["Hint"] = question.hint
    told["Message when it is missing"] = question.error
    listed = question.listed()
    told |= {f"Answer {option.code}": _option(option) for option in listed}
    if listed:
        told["Order of the answers"] = ", ".join(option.code for option in listed)
    told |= _limits(question)
    told["Must be answered"] = "yes" if question.required else ""
    told["Asked of"] = roles(question.audience)
    if question.show_if is not None:
        told["Shown"] = f"if {condition(question.show_if, questionnaire)}"
    told["Measure"] = question.measure or ""
    told["Differs between waves because"] = question.differs
    return {name: text for name, text in told.items() if text}


def _limits(question: Question) -> dict[str, str]:
    told = {}
    if hasattr(question, "max_length"):
        told["Longest answer"] = f"{question.max_length:,} characters"
    if getattr(question, "quote_consent", False):
        told["Quotes"] = "asks whether it may be quoted without a name"
    if question.kind == "number":
        told["Between"] = f"{getattr(question, 'min', 0):,} and {getattr(question, 'max', 0):,}"
    return told
