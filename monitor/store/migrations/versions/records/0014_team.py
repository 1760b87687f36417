"""The records that were handed over to a team: few among many, for a queue of one team."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "records_0014"
down_revision = "records_0013"


def upgrade() -> None:
    given = sa.text("team IS NOT NULL")
    op.create_index("near_misses_team", "near_misses", ["team"], sqlite_where=given, postgresql_where=given)
