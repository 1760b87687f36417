"""Owners by part of the journal, with a sign of life; state by scope, for parts that have several engines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0003"
down_revision = "records_0001"


def upgrade() -> None:
    op.create_table(
        "engine_owners",
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("last_commit", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part"),
    )
    # The epoch goes on, so that an engine of the program before is fenced.
    op.execute(
        "INSERT INTO engine_owners (part, epoch, owner, last_commit, seen_at) "
        "SELECT '', epoch, owner, last_commit, 0 FROM engine_owner"
    )
    op.drop_table("engine_owner")
    op.create_table(
        "scoped_cells",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
