"""What the machine looks for to close what an accepted record left open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0016"
down_revision = "records_0015"


def upgrade() -> None:
    op.add_column("near_misses", sa.Column("open_until", sa.LargeBinary(), nullable=True))
