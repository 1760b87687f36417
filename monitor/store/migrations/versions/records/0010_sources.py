"""What arrived from each source, by hour and day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0010"
down_revision = "records_0009"


def upgrade() -> None:
    op.create_table(
        "source_hours",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=True),
        sa.Column("least_lag", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "hour"),
    )
    op.create_index("source_hours_hour", "source_hours", ["hour"])
    op.create_table(
        "source_words",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", "what", "word"),
    )
    op.create_index("source_words_day", "source_words", ["day"])
