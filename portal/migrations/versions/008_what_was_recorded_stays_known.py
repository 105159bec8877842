"""whether somebody is absent by name from a session, also once it was corrected to one to which nobody came;
who gave a session when it was last moved; why a second person did not agree.

Of what was recorded before, it is known as long as that is not corrected twice. Who gave what was moved before is who
gives it now: until then a session that passed to another mentor forgot its move. Why
a second person did not agree was not asked.
"""

import sqlalchemy as sa
from alembic import op

revision = "008"
down_revision = "007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.add_column(sa.Column("absent_by_name", sa.Boolean(), nullable=True))
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("moved_mentor_id", sa.Uuid(), nullable=True))
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refusal_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_column("refusal_sealed")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_column("moved_mentor_id")
    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.drop_column("absent_by_name")
