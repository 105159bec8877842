"""Every mail by the name of its template: what each says stands in the module of its subject."""

from collections.abc import Mapping

from portal import assistant_mails, clearance_mails, group_mails, mail_contexts
from portal.mail_contexts import Context

CONTEXTS: Mapping[str, Context] = {
    **mail_contexts.CONTEXTS,
    **group_mails.CONTEXTS,
    **clearance_mails.CONTEXTS,
    **assistant_mails.CONTEXTS,
}
