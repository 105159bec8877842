"""`flask mail`: whether mail goes out."""

import click

from portal import post
from portal.cli.base import fail, say, with_instance
from portal.instance import Instance
from portal.letters import AddressUnusable
from portal.senders import AddressRefused, Unprotected, sender_for


@click.group("mail")
def group() -> None:
    """Mail that goes out."""


@group.command("test")
@click.argument("address")
@with_instance
def test(instance: Instance, address: str) -> None:
    """Send a test mail to ADDRESS at once, and say what became of it."""
    try:
        message = post.test_message(instance, address)
        sender_for(instance.settings, instance.outbox).send(message, at=instance.clock())
    except AddressUnusable:
        fail(f"{address} is no e-mail address")
    except AddressRefused as refusal:
        fail(f"the mail server refuses {address} (answer {refusal.code})")
    except (OSError, Unprotected) as error:
        fail(f"the mail server did not take it: {type(error).__name__}")
    smtp = instance.settings.smtp
    where = f"the mail server {smtp.host} took it" if smtp is not None else f"it lies in {instance.outbox}"
    say(f"Sent to {address}: {where}.")


COMMANDS: tuple[click.Command, ...] = (group,)
