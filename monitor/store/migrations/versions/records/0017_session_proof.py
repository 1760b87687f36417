"""What a session rests on, so that it ends with the account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0017"
down_revision = "records_0016"


def upgrade() -> None:
    op.add_column("access_sessions", sa.Column("proof", sa.Text(), nullable=True))
