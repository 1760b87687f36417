"""The rewinds so far: what is before each stays as it was decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0005"
down_revision = "records_0004"


def upgrade() -> None:
    op.create_table(
        "rewinds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("decided_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
