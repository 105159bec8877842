"""when what was said before a correction was said, which holidays the clocks of cases keep, addresses of assistants.

Holidays that were entered before count for booking and for clocks, as they did.
"""

import sqlalchemy as sa
from alembic import op

revision = "005"
down_revision = "004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("response_past", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answered_on", sa.Date(), nullable=True))
    with op.batch_alter_table("holiday_change", schema=None) as batch_op:
        batch_op.add_column(sa.Column("for_clocks", sa.Boolean(), server_default=sa.true(), nullable=False))
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.drop_column("address_sealed")
    with op.batch_alter_table("holiday_change", schema=None) as batch_op:
        batch_op.drop_column("for_clocks")
    with op.batch_alter_table("response_past", schema=None) as batch_op:
        batch_op.drop_column("answered_on")
