"""Tables: the exports that were made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference
from surveys.export_files import Format


class Export(Record):
    """Somebody took answers out of the portal. `rows` is how many, counted when it was made; `reason` is why
    a named export was needed."""

    __tablename__ = "export"
    __holding__ = Holding(
        "to show who took answers out of the portal, and why (cl 17.4(b), cl 17.8)", Keep.CONTRACT
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who made it"))
    format: Mapped[Format] = mapped_column(Word(Format), info=plain())
    named: Mapped[bool] = mapped_column(info=plain("with names"))
    partial: Mapped[bool] = mapped_column(info=plain("with what was never finished"))
    rows: Mapped[int] = mapped_column(info=plain())
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Why answers were taken out with names", at_least=256
    )
    reason = SealedText("reason_sealed")
