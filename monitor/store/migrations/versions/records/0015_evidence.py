"""Evidence that people added to a record, and what they left out of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0015"
down_revision = "records_0014"


def upgrade() -> None:
    op.add_column("near_misses", sa.Column("added", sa.LargeBinary(), nullable=True))
    op.add_column("near_misses", sa.Column("left_out", sa.LargeBinary(), nullable=True))
