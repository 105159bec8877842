"""Every mail by the name of its template: what each says stands in the module of its subject."""

from collections.abc import Mapping
from datetime import timedelta

from portal.access import asking, news_mails
from portal.cases import letter_mails, notice_mails, notices, suspicions
from portal.councils import refusals as council_refusals
from portal.desk import approval_mails
from portal.groups import mails as group_mails
from portal.mailing import contexts as mail_contexts
from portal.mailing.contexts import AddressedContext, Context, Heard, Receipt, RoleContext
from portal.mentors import clearance_mails
from portal.people import assistant_mails
from portal.registers import access_mails, audit_heads

__all__ = ["ADDRESSED", "CONTEXTS", "HEARD", "ROLE_CONTEXTS", "SHORT_LIVED", "URGENT", "Receipt"]

CONTEXTS: Mapping[str, Context] = {
    **mail_contexts.CONTEXTS,
    **group_mails.CONTEXTS,
    **clearance_mails.CONTEXTS,
    **assistant_mails.CONTEXTS,
    **access_mails.CONTEXTS,
    **notice_mails.CONTEXTS,
    **news_mails.CONTEXTS,
    **approval_mails.CONTEXTS,
    **council_refusals.CONTEXTS,
}

ROLE_CONTEXTS: Mapping[str, RoleContext] = {
    **notice_mails.ROLE_CONTEXTS,
    **audit_heads.ROLE_CONTEXTS,
    **suspicions.ROLE_CONTEXTS,
    **news_mails.ROLE_CONTEXTS,
    **council_refusals.ROLE_CONTEXTS,
}
"""The mails that go to a role's mailbox."""

ADDRESSED: Mapping[str, AddressedContext] = {**letter_mails.ADDRESSED, **news_mails.ADDRESSED}
"""The mails whose address stands sealed in what they are about: letters of cases, addresses of before."""

HEARD: Mapping[str, Heard] = {**notice_mails.HEARD, **letter_mails.HEARD}
"""Who is told, in the same work, that a mail went or was given up."""

URGENT = frozenset({"sign_in", notices.TEMPLATE, notices.STUCK, suspicions.TEMPLATE})
"""What goes before everything else that is due."""

SHORT_LIVED: Mapping[str, timedelta] = {"sign_in": asking.ASK_LIFE}
"""Mails that are of no use some time after they were asked for: they say until when what is in them is good."""
