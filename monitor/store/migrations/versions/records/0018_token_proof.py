"""What a token's maker rests on, so that it ends with the account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0018"
down_revision = "records_0017"


def upgrade() -> None:
    op.add_column("access_tokens", sa.Column("proof", sa.Text(), nullable=True))
