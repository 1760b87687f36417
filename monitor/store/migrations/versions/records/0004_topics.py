"""State of topics: halts, the cluster, and of a reject its origin and whether it waits to be forwarded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0004"
down_revision = "records_0003"


def upgrade() -> None:
    op.add_column("rejects", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("rejects", sa.Column("forward", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("rejects_origin", "rejects", ["origin"], unique=True)
    only = sa.text("forward")
    op.create_index("rejects_forward", "rejects", ["id"], sqlite_where=only, postgresql_where=only)
    op.create_index("rejects_received_at", "rejects", ["received_at"])
    op.create_table(
        "topic_halts",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic"),
    )
    op.create_table(
        "journal_clusters",
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("journal"),
    )
