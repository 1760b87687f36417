"""Which journal this is, how often it was opened, and up to where entries were removed."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "journal_0002"
down_revision = "journal_0001"


def upgrade() -> None:
    stamp = op.create_table(
        "journal_stamp",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("pruned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    first = op.get_bind().execute(sa.text("SELECT min(position) FROM journal")).scalar()
    row = {"id": 1, "identity": uuid.uuid4().hex, "generation": 0, "pruned": 0 if first is None else first - 1}
    op.bulk_insert(stamp, [row])
