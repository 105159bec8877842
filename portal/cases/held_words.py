"""What the desk calls each table that says something of people, in groups as the page "Your data" has them.

A table that is not named here is shown under its own name: nothing that is held is left out.
"""

from collections.abc import Mapping

WHO, SUPPORT, ANSWERS, SIGNING_IN, MAIL, WORK, COUNCILS, RIGHTS, KEEPING = (
    "Who people are",
    "Their support",
    "Their answers",
    "How they sign in",
    "Mail to them",
    "Their work for the programme",
    "Councils, and what is reported",
    "What they ask about their data, and the desk",
    "Records, keys and copies",
)
GROUPS = (WHO, SUPPORT, ANSWERS, SIGNING_IN, MAIL, WORK, COUNCILS, RIGHTS, KEEPING)

WORDS: Mapping[str, tuple[str, str]] = {
    "person": (WHO, "Names, addresses, phone numbers and needs"),
    "office": (WHO, "Offices in councils, from when to when"),
    "delegation": (WHO, "Assistants, and whom they book for"),
    "package": (SUPPORT, "Packages of support"),
    "participation": (SUPPORT, "Who takes part in which package"),
    "session": (SUPPORT, "Sessions, with place and title"),
    "attendance": (SUPPORT, "Places in sessions, and who came"),
    "waiting": (SUPPORT, "Places on waiting lists"),
    "occupied": (SUPPORT, "Quarter hours in which people are booked"),
    "offer": (SUPPORT, "Times that were offered"),
    "goal": (SUPPORT, "Goals"),
    "goal_event": (SUPPORT, "What became of goals"),
    "session_note": (SUPPORT, "Notes of sessions"),
    "mentor_choice": (SUPPORT, "Why a mentor was chosen"),
    "feed": (SUPPORT, "Links by which calendars show sessions"),
    "resource": (SUPPORT, "Links and files to read"),
    "resource_use": (SUPPORT, "Where links and files are shown"),
    "response": (ANSWERS, "Answers to questionnaires"),
    "response_past": (ANSWERS, "Earlier answers that were changed"),
    "respondent": (ANSWERS, "Numbers that stand for people where answers are counted"),
    "reopening": (ANSWERS, "Wishes to change answers"),
    "share": (ANSWERS, "Answers that were shared with a mentor"),
    "call_request": (ANSWERS, "Wishes to be rung"),
    "parked_form": (ANSWERS, "Forms that were kept while somebody was signed out"),
    "codebook": (ANSWERS, "Themes by which words are sorted"),
    "correction": (ANSWERS, "Changes in the words of questions"),
    "sign_in": (SIGNING_IN, "Codes that were asked for"),
    "browser_session": (SIGNING_IN, "Browsers that people are or were signed in with"),
    "factor": (SIGNING_IN, "Passkeys, passwords and codes"),
    "guess": (SIGNING_IN, "Tries to prove who somebody is"),
    "address_change": (SIGNING_IN, "Changes of e-mail addresses"),
    "notice_shown": (SIGNING_IN, "Which privacy notice people were shown"),
    "kept_search": (SIGNING_IN, "What people looked for in lists, for a day"),
    "mail": (MAIL, "When mail went, and what about"),
    "refusal": (MAIL, "Mail that did not arrive"),
    "booking_limit": (WORK, "How many sessions mentors take on"),
    "hours": (WORK, "Hours that mentors publish"),
    "leave": (WORK, "When mentors are away"),
    "package_mentor": (WORK, "Which mentor supports whom"),
    "mentor_profile": (WORK, "Profiles of mentors"),
    "clearance": (WORK, "Checks, training and undertakings"),
    "interest": (WORK, "Interests that were declared"),
    "duty": (WORK, "The rota of the desk"),
    "access_decision": (WORK, "Reviews of what people can see"),
    "sent_file": (WORK, "Long files that were sent, and what came of them"),
    "blackout": (COUNCILS, "Times that are closed for booking"),
    "holiday_change": (COUNCILS, "Bank holidays entered by hand"),
    "council_fact": (COUNCILS, "Why a council is supported, and who agreed"),
    "council_refusal": (COUNCILS, "Councils that the Department did not agree, and why"),
    "partner": (COUNCILS, "Partners of councils"),
    "partner_contact": (COUNCILS, "Contacts with partners"),
    "review": (COUNCILS, "Reviews of councils in intervention"),
    "programme_note": (COUNCILS, "Risks and lessons"),
    "figure": (COUNCILS, "Figures that were counted"),
    "release": (COUNCILS, "What was released to the Department"),
    "casefile": (RIGHTS, "What was asked or told, and by whom"),
    "casefile_event": (RIGHTS, "What happened in cases"),
    "casefile_file": (RIGHTS, "Files of cases"),
    "casefile_letter": (RIGHTS, "Letters of cases"),
    "casefile_affected": (RIGHTS, "Who is affected by incidents"),
    "casefile_redaction": (RIGHTS, "Rounds of taking out other people's data"),
    "casefile_redacted_file": (RIGHTS, "Files from which something was taken out"),
    "casefile_redaction_mark": (RIGHTS, "What was taken out, and why"),
    "notice": (RIGHTS, "Notices to the Controller"),
    "notice_sending": (RIGHTS, "How notices went"),
    "public_request": (RIGHTS, "Requests from the public page"),
    "person_export": (RIGHTS, "Copies of somebody's data that were made"),
    "rectification": (RIGHTS, "What was put right, and who was told"),
    "legal_hold": (RIGHTS, "Legal holds"),
    "erasure": (RIGHTS, "Erasures"),
    "register_entry": (RIGHTS, "Instructions, sub-processors, risks and remarks"),
    "approval": (KEEPING, "What two people agreed"),
    "audit_entry": (KEEPING, "The audit trail"),
    "chain_check": (KEEPING, "Checks of the audit trail"),
    "export": (KEEPING, "Answers that were taken out as files"),
    "key_event": (KEEPING, "How keys are kept"),
    "data_return": (KEEPING, "Returns of data"),
    "data_return_event": (KEEPING, "Steps of returns"),
    "store_confirmation": (KEEPING, "What was confirmed of places outside the software"),
    "instance_fact": (KEEPING, "What this instance is"),
    "ring_key": (KEEPING, "Keys that open keys"),
    "subject_key": (KEEPING, "The keys of each person"),
}


def called(table: str) -> tuple[str, str]:
    """The group of a table, and what it is called."""
    return WORDS.get(table, (KEEPING, table.replace("_", " ").capitalize()))


def words(table: str) -> str:
    """What a table is called."""
    return called(table)[1]
