"""`flask mail`: whether mail goes out."""

from functools import partial

import click
from sqlalchemy.orm import Session as DbSession

from portal.cli.base import fail, say, with_instance
from portal.db import db
from portal.instance import Instance
from portal.mailing import route as mail_route
from portal.mailing import writing as mail_writing
from portal.mailing.letters import AddressUnusable
from portal.mailing.senders import AddressRefused, RouteRefused, ServerAway, Unprotected


@click.group("mail")
def group() -> None:
    """Mail that goes out."""


@group.command("test")
@click.argument("address")
@with_instance
def test(instance: Instance, address: str) -> None:
    """Send a test mail to ADDRESS at once, and say what became of it."""
    try:
        message = mail_writing.test_message(instance, address)
        mail_route.sender(instance, partial(DbSession, db.engine, info={"vault": instance.vault})).send(
            message, at=instance.clock()
        )
    except AddressUnusable:
        fail(f"{address} is no e-mail address")
    except RouteRefused as refusal:
        fail(str(refusal))
    except AddressRefused as refusal:
        fail(f"the mail server refuses {address} (answer {refusal.code})")
    except ServerAway as away:
        fail(f"the mail server did not take it: {away.kind}")
    except (OSError, Unprotected) as error:
        fail(f"the mail server did not take it: {type(error).__name__}")
    smtp = instance.settings.smtp
    where = f"the mail server {smtp.host} took it" if smtp is not None else f"it lies in {instance.outbox}"
    say(f"Sent to {address}: {where}.")


COMMANDS: tuple[click.Command, ...] = (group,)
