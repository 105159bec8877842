"""what a session was before it was last moved, and who moved it; whether nobody came, or it was called off;
when offered times were taken back.

Of what was moved, recorded or withdrawn before, none of it is known.
"""

import sqlalchemy as sa
from alembic import op

revision = "006"
down_revision = "005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("nobody_came", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("moved_by", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("moved_from_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("moved_from_place", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("moved_from_where_sealed", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("offer", schema=None) as batch_op:
        batch_op.drop_column("taken_back_at")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_column("moved_from_where_sealed")
        batch_op.drop_column("moved_from_place")
        batch_op.drop_column("moved_from_at")
        batch_op.drop_column("moved_by")
        batch_op.drop_column("moved_at")
        batch_op.drop_column("nobody_came")
