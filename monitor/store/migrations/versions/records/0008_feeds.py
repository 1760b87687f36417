"""How far each pulled feed was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0008"
down_revision = "records_0007"


def upgrade() -> None:
    op.create_table(
        "feed_cursors",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feed"),
    )
