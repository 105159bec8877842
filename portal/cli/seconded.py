"""The gate before commands that take two people (portal/desk/approvals.py)."""

from typing import NoReturn

from portal.cli.base import fail
from portal.db import db
from portal.desk import approvals
from portal.desk.approvals import NotAgreed
from portal.instance import Instance
from portal.models import SecondAct
from privacy.erasure import NoInstruction, NotInForce


def seconded(instance: Instance, *, act: SecondAct, thing: str, letter: str) -> None:
    """End the command where the instruction that it cites carries no second person's approval; not on a demo."""
    if instance.demo:
        return
    try:
        approvals.require(db.session(), act=act, thing=thing, letter=letter, now=instance.clock())
    except NoInstruction as problem:
        no_instruction(letter, problem)
    except NotAgreed as problem:
        fail(str(problem))
    finally:
        db.session().rollback()


def no_instruction(letter: str, problem: NoInstruction) -> NoReturn:
    """End the command: the letter that it cites is no instruction, or none that is in force."""
    if isinstance(problem, NotInForce):
        fail(str(problem))
    fail(f"no instruction {letter} is in the register: enter it with `flask privacy instruction`")
