"""What people settle besides a decision: the risk, when it comes back, the team, and who may see it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0009"
down_revision = "records_0008"


def upgrade() -> None:
    op.add_column("near_misses", sa.Column("outcome", sa.Text(), nullable=True))
    op.add_column("near_misses", sa.Column("barrier", sa.Text(), nullable=True))
    op.add_column("near_misses", sa.Column("place", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("near_misses", sa.Column("returns_at", sa.BigInteger(), nullable=True))
    op.add_column("near_misses", sa.Column("open_condition", sa.Text(), nullable=True))
    op.add_column("near_misses", sa.Column("team", sa.Text(), nullable=True))
    op.add_column("near_misses", sa.Column("share", sa.Text(), nullable=False, server_default=sa.text("'team'")))
    op.drop_index("near_misses_order", "near_misses")
    op.create_index("near_misses_place", "near_misses", ["place", "rank", "opened_at", "id"])
    known = sa.text("returns_at IS NOT NULL")
    op.create_index("near_misses_returns_at", "near_misses", ["returns_at"], sqlite_where=known, postgresql_where=known)
