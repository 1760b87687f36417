"""The queue in its order, by state and mode: a page reads no more of it than it shows."""

from __future__ import annotations

from alembic import op

revision = "records_0013"
down_revision = "records_0012"


def upgrade() -> None:
    columns = ["state", "mode", "place", "rank", "opened_at", "id", "returns_at"]
    op.create_index("near_misses_queue", "near_misses", columns)
