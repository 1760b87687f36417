"""The journal that the records belong to, and how often it had been opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0007"
down_revision = "records_0006"


def upgrade() -> None:
    op.create_table(
        "journal_binding",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
