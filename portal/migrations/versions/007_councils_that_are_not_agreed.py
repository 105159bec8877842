"""councils that the Department did not agree, why, and what was new when the team asked again; whether whoever wrote
on what a council qualifies was told that the Department reads it.

Of what was said by mail or telephone before, none of it is known. Whoever wrote before was not told.
"""

import sqlalchemy as sa
from alembic import op

revision = "007"
down_revision = "006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "council_refusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("council_id", sa.Uuid(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("news_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["council_id"], ["council.id"], name=op.f("fk_council_refusal_council_id_council")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_council_refusal")),
    )
    with op.batch_alter_table("council_refusal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_council_refusal_council_id"), ["council_id"], unique=False)
    with op.batch_alter_table("council_fact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("department_reads", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("council_fact", schema=None) as batch_op:
        batch_op.drop_column("department_reads")
    with op.batch_alter_table("council_refusal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_council_refusal_council_id"))
    op.drop_table("council_refusal")
