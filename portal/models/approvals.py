"""Tables: what takes two people. Who asked, who agreed, what for, until when."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Boolean, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference


class SecondAct(StrEnum):
    """EXPORT: everything held about one person. ANSWERS: answers with names. ERASURE of one person's data.
    KEY: a key is destroyed for good."""

    EXPORT = "export"
    ANSWERS = "answers"
    ERASURE = "erasure"
    KEY = "key"


class Approval(Record):
    """Somebody asked that a second person agree to an act.

    `thing` is what it is done to: `person:<id>`, `key:K1`, or `answers:` with the codes of questionnaires and with what
    widens what leaves. It serves `asked_by` alone. `letter` is the instruction of the Controller that it rests on.
    `agreed` is None until somebody answers; until `ends_at` it can be answered, and once agreed, done. `reason` is why
    names are needed, for who agrees to read; `refusal` why the second person did not agree, for who asked.
    """

    __tablename__ = "approval"
    __holding__ = Holding(
        "to show that two people agreed before data left, went, or could be opened no more (cl 17.4)",
        Keep.CONTRACT,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    act: Mapped[SecondAct] = mapped_column(Word(SecondAct), info=plain())
    thing: Mapped[str] = mapped_column(String(200), index=True, info=reference("what it is done to"))
    letter: Mapped[str | None] = mapped_column(String(30), info=plain("the instruction it rests on"))
    asked_at: Mapped[datetime] = mapped_column(info=plain())
    asked_by: Mapped[str] = mapped_column(String(80), info=reference("who asked"))
    answered_at: Mapped[datetime | None] = mapped_column(info=plain())
    answered_by: Mapped[str | None] = mapped_column(String(80), info=reference("the second person"))
    agreed: Mapped[bool | None] = mapped_column(Boolean, info=plain())
    ends_at: Mapped[datetime] = mapped_column(info=plain())
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Why answers with names are needed", at_least=256
    )
    refusal_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Why the second person did not agree", at_least=256
    )
    reason = SealedText("reason_sealed")
    refusal = SealedText("refusal_sealed")

    def is_open_to(self, actor: str) -> bool:
        """Whether somebody can be the second person: neither who asked, nor whose data it is."""
        return actor not in (self.asked_by, self.thing)
