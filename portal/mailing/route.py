"""By which mail server mail may go: the programme's own, or one of a sub-processor in force (cl 17.11).

Asked in production alone, before each mail; elsewhere no real mail goes out. What may not go waits, and nothing of it
is lost. Whoever has to enter a sub-processor needs no mail: `flask people link`, or `flask privacy sub-processor`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.mailing.senders import RoutedSender, Sender, sender_for
from portal.programme import Programme
from portal.settings import THIS_MACHINE, Mode, Settings
from privacy import subprocessors
from privacy.clock import london_date

LOOK_EVERY = timedelta(minutes=1)

Sessions = Callable[[], DbSession]

log = structlog.get_logger("post")


def refusal(db: DbSession, settings: Settings, programme: Programme, *, now: datetime) -> str | None:
    """Why mail may not go by the server that the settings name, in one line; None where it may."""
    if settings.mode is not Mode.PRODUCTION or settings.smtp is None:
        return None
    host, today = settings.smtp.host.lower(), london_date(now)
    if host in THIS_MACHINE | programme.own_mail_hosts:
        return None
    owners = [kept for name, kept in subprocessors.hosts(db, on=today) if name == host]
    if any(kept.what.in_force(on=today) for kept in owners):
        return None
    if not owners:
        return (
            f"No mail is sent by {host} (SMTP_HOST): it is neither one of the programme's own hosts "
            f"({programme.path.name}, mail.own_hosts) nor a sub-processor's in the register (cl 17.11)"
        )
    lacking = "; ".join(owners[0].what.lacking(on=today))
    return f"No mail is sent by {host} (SMTP_HOST): sub-processor {owners[0].code} lacks {lacking} (cl 17.11)"


def sender(instance: Instance, sessions: Sessions) -> Sender:
    """The server that the settings name, asked before each mail; else the outbox folder."""
    plain = sender_for(instance.settings, instance.outbox)
    return routed(plain, instance, sessions) if instance.settings.mode is Mode.PRODUCTION else plain


def routed(plain: Sender, instance: Instance, sessions: Sessions) -> RoutedSender:
    """A sender that looks at the register before each mail."""

    def why_not() -> str | None:
        with sessions() as db:
            return refusal(db, instance.settings, instance.programme, now=instance.clock())

    return RoutedSender(plain, why_not)


class Gate:
    """Whether the post may begin, looked at once a minute; each time it may not, the log says why."""

    def __init__(self, instance: Instance, sessions: Sessions) -> None:
        self._instance = instance
        self._sessions = sessions
        self._looked_at: datetime | None = None
        self._is_open = False

    def __call__(self) -> bool:
        now = self._instance.clock()
        if self._looked_at is None or not self._looked_at <= now < self._looked_at + LOOK_EVERY:
            with self._sessions() as db:
                why = refusal(db, self._instance.settings, self._instance.programme, now=now)
            if why is not None:
                log.error("mail.route_refused", trouble=why)
            self._looked_at, self._is_open = now, why is None
        return self._is_open
