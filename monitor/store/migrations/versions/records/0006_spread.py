"""Over how many partitions of a topic the shards are spread."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0006"
down_revision = "records_0005"


def upgrade() -> None:
    op.create_table(
        "shard_spreads",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partitions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("topic"),
    )
